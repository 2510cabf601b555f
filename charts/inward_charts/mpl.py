"""A figure drawn by matplotlib, so that a policy does not learn one renderer's pixels.

It uses matplotlib's object interface and no global state: safe in threads, same bytes each time.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure as Canvas
from matplotlib.legend import Legend

from inward_charts.figure import Axis, Figure, Layer, Record, Ticks
from inward_charts.layout import GLYPH, Layout, lay_out
from inward_charts.numbers import format_date, format_number
from inward_charts.style import LegendSide
from inward_charts.vega import HOLE, LARGEST_BUBBLE

DPI = 72
"""So that a point is a pixel, as in Vega's sizes."""


def matplotlib_png(figure: Figure) -> bytes:
    """`figure` as a PNG drawn by matplotlib."""
    canvas = draw(figure)
    out = io.BytesIO()
    canvas.savefig(out, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.1)
    return out.getvalue()


def draw(figure: Figure) -> Canvas:
    """`figure` as a matplotlib figure of its own, on an Agg canvas."""
    return _Drawing(figure).canvas


class _Drawing:
    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.style = figure.style
        self.layout: Layout = lay_out(figure)
        panels = figure.panels or (None,)
        columns = figure.columns or 1
        rows = -(-len(panels) // columns)
        pixels = (columns * (figure.width + 14), rows * (figure.height + 34))
        self.canvas = Canvas(figsize=(pixels[0] / DPI, pixels[1] / DPI), dpi=DPI)
        FigureCanvasAgg(self.canvas)
        self.canvas.set_facecolor(self.style.background)
        grid = self.canvas.subplots(rows, columns, squeeze=False)
        if figure.panels:
            self.canvas.subplots_adjust(
                left=0, right=1, bottom=0, top=1, wspace=0.08, hspace=34 / figure.height
            )
        else:
            self.canvas.subplots_adjust(left=0, right=1, bottom=0, top=1)
        for place, axes in enumerate(grid.flat):
            if place >= len(panels):
                axes.remove()
                continue
            row, column = divmod(place, columns)
            self._panel(
                axes,
                panels[place],
                left=column == 0,
                bottom=place + columns >= len(panels) or row == rows - 1,
            )
        self._titles()

    def _text(self, size: int, **more: Any) -> dict[str, Any]:
        return {
            "fontsize": size,
            "color": self.style.ink,
            "family": self.style.font,
            **more,
        }

    def _titles(self) -> None:
        figure, style = self.figure, self.style
        lift = 8
        if figure.panels:
            self._over(0.5, "center", 24, figure.panel_title, style.label_size + 1)
            lift = 44
        if style.legend == "top" and (figure.legend or figure.size_title):
            lift += 50
        x, align = (0.5, "center") if style.title_anchor == "middle" else (0.0, "left")
        for words in reversed(figure.title):
            first = words == figure.title[0]
            size = style.title_size if first else style.label_size
            self._over(x, align, lift, words, size, weight="bold" if first else "normal")
            lift += size + 4

    def _over(self, x: float, align: str, lift: float, words: str, size: int, **more: Any) -> None:
        """Writes `lift` pixels above the plot."""
        y = 1 + lift / (self.canvas.get_figheight() * DPI)
        self.canvas.text(x, y, words, ha=align, va="bottom", **self._text(size, **more))

    def _panel(self, axes: Axes, panel: str | None, *, left: bool, bottom: bool) -> None:
        figure = self.figure
        axes.set_facecolor(self.style.panel)
        if figure.kind == "arc":
            self._arc(axes, figure.layers[0])
            return
        self._frame(axes)
        if figure.kind == "heat_map":
            self._cells(axes, figure.layers[0])
        twin = axes.twinx() if figure.right is not None else None
        for layer in figure.layers:
            records = [r for r in layer.records if r.panel == panel]
            if twin is not None and layer.right:
                self._marks(twin, layer, records)
            elif layer.mark != "cell":
                self._marks(axes, layer, records)
        self._axes(axes, left=left, bottom=bottom)
        if figure.x.type == "time":
            axes.set_xlim(0, len(figure.x.members) - 1)
        if twin is not None:
            assert figure.right is not None
            assert self.layout.right is not None
            self._frame(twin)
            twin.patch.set_visible(False)
            self._number_axis(twin, figure.right, self.layout.right, "y", show=True)
        if panel is not None:
            axes.set_title(panel, **self._text(self.style.label_size))
        if panel is None or panel == figure.panels[0]:
            self._legend(axes)

    def _frame(self, axes: Axes) -> None:
        style = self.style
        for side, spine in axes.spines.items():
            spine.set_color(style.ink)
            spine.set_linewidth(0.8)
            spine.set_visible(style.frame or side in ("left", "bottom"))
        axes.tick_params(colors=style.ink, labelsize=style.label_size, length=4)
        axes.set_axisbelow(True)

    def _axes(self, axes: Axes, *, left: bool, bottom: bool) -> None:
        figure, layout = self.figure, self.layout
        across, up = ("y", "x") if figure.horizontal else ("x", "y")
        x_shown, y_shown = bottom, left
        if figure.x.type == "category":
            self._category_axis(axes, figure.x.title, figure.x.members, across, show=x_shown)
        elif figure.x.type == "time":
            places = [figure.x.members.index(day) for day in layout.dates]
            labels = [format_date(day, figure.x.time_format) for day in layout.dates]
            self._ticks(axes, figure.x.title, places, labels, across, show=x_shown)
        else:
            assert layout.x is not None
            self._number_axis(axes, figure.x, layout.x, across, show=x_shown)
        if figure.kind == "heat_map":
            self._category_axis(axes, figure.series_title, figure.series, up, show=True)
            axes.invert_yaxis()
            return
        self._number_axis(axes, figure.y, layout.y, up, show=y_shown)
        if figure.horizontal:
            axes.invert_yaxis()

    def _category_axis(
        self, axes: Axes, title: str, members: Sequence[str], way: str, *, show: bool
    ) -> None:
        self._ticks(axes, title, list(range(len(members))), list(members), way, show=show)
        (axes.set_xlim if way == "x" else axes.set_ylim)(-0.5, len(members) - 0.5)
        angle = -self.layout.angle
        if way == "x" and angle:
            axes.tick_params(axis="x", labelrotation=angle)
            for label in axes.get_xticklabels():
                label.set_horizontalalignment("right" if angle == 45 else "center")

    def _number_axis(self, axes: Axes, axis: Axis, ticks: Ticks, way: str, *, show: bool) -> None:
        if axis.log:
            (axes.set_xscale if way == "x" else axes.set_yscale)("log")
            (axes.xaxis if way == "x" else axes.yaxis).minorticks_off()
        self._ticks(axes, axis.title, list(ticks.values), list(ticks.labels), way, show=show)
        (axes.set_xlim if way == "x" else axes.set_ylim)(*ticks.domain)
        if self.style.grid and axis is not self.figure.right:
            axes.grid(
                axis="x" if way == "x" else "y",
                color=self.style.faint,
                linestyle="--" if self.style.grid_dash else "-",
                linewidth=0.8,
            )

    def _ticks(
        self,
        axes: Axes,
        title: str,
        places: Sequence[float],
        labels: list[str],
        way: str,
        *,
        show: bool,
    ) -> None:
        size = self.style.label_size
        if way == "x":
            axes.set_xticks(places, labels if show else [""] * len(labels), family=self.style.font)
            if show:
                axes.set_xlabel(title, **self._text(size + 1))
        else:
            axes.set_yticks(places, labels if show else [""] * len(labels), family=self.style.font)
            if show:
                axes.set_ylabel(title, **self._text(size + 1))

    def _place(self, record: Record) -> float:
        if isinstance(record.x, str):
            return self.figure.x.members.index(record.x) if record.x else 0.0
        return record.x

    def _colour(self, layer: Layer, series: str | None) -> str:
        names = self.figure.legend
        name = series if series is not None else layer.name
        place = names.index(name) if name in names else 0
        return self.style.palette[place % 8]

    def _by_series(self, records: list[Record]) -> dict[str | None, list[Record]]:
        """Records of each series, in the legend's order."""
        groups: dict[str | None, list[Record]] = defaultdict(list)
        for record in records:
            groups[record.series].append(record)
        order: list[str | None] = [s for s in self.figure.series if s in groups] or list(groups)
        return {name: groups[name] for name in order}

    def _marks(self, axes: Axes, layer: Layer, records: list[Record]) -> None:
        match layer.mark:
            case "bar":
                self._bars(axes, layer, records)
            case "line" | "step":
                for name, run in self._by_series(records).items():
                    axes.plot(
                        [self._place(r) for r in run],
                        [float("nan") if r.y is None else r.y for r in run],
                        color=self._colour(layer, name),
                        linewidth=self.style.line_width,
                        drawstyle="steps-post" if layer.mark == "step" else "default",
                        marker="o" if layer.dots else "",
                        markersize=self.style.point_area**0.5,
                        label=name or layer.name,
                        zorder=3,
                    )
            case "area":
                self._areas(axes, layer, records)
            case "band":
                axes.fill_between(
                    [self._place(r) for r in records],
                    [r.low or 0.0 for r in records],
                    [r.high or 0.0 for r in records],
                    color=self.style.palette[0],
                    alpha=0.25,
                    linewidth=0,
                )
            case "point":
                self._points(axes, layer, records)
            case "interval":
                self._intervals(axes, records)
            case "rule":
                for record in records:
                    axes.axhline(
                        record.y or 0.0,
                        color=self._colour(layer, None),
                        linestyle="--",
                        linewidth=1.5,
                        label=layer.name,
                    )
            case "box":
                self._boxes(axes, records)

    def _bars(self, axes: Axes, layer: Layer, records: list[Record]) -> None:
        figure = self.figure
        draw = axes.barh if figure.horizontal else axes.bar
        thick = 1 - self.style.gap
        groups = self._by_series(records)
        if figure.x.bins:
            axes.bar(
                [r.low or 0.0 for r in records],
                [r.y or 0.0 for r in records],
                [(r.high or 0.0) - (r.low or 0.0) for r in records],
                align="edge",
                color=self.style.palette[0],
                edgecolor=self.style.panel,
                linewidth=0.8,
            )
            return
        base: dict[float, float] = defaultdict(float)
        names: list[str | None] = list(groups) if layer.stack == "group" else [None]
        slot = thick / len(names)
        # Vega-Lite stacks so that columns read like the legend from the top, rows from the left.
        downwards = layer.stack == "zero" and not figure.horizontal
        run = reversed(groups.items()) if downwards else groups.items()
        for name, members in run:
            shift = -thick / 2 + slot * (names.index(name) + 0.5) if layer.stack == "group" else 0
            places = [self._place(r) for r in members]
            starts = [base[p] for p in places] if layer.stack == "zero" else [0.0] * len(places)
            draw(
                [p + shift for p in places],
                [r.y or 0.0 for r in members],
                slot,
                starts,
                color=self._colour(layer, name),
                label=name or layer.name,
            )
            for place, record in zip(places, members, strict=True):
                base[place] += record.y or 0.0
        if layer.printed:
            self._printed(axes, records)

    def _printed(self, axes: Axes, records: list[Record]) -> None:
        look = self._text(self.style.label_size - 1)
        for record in records:
            if record.y is None:
                continue
            place, words = self._place(record), format_number(record.y, self.layout.printed)
            if self.figure.horizontal:
                axes.annotate(
                    words, (record.y, place), (3, 0), textcoords="offset points", va="center",
                    annotation_clip=False, **look,
                )  # fmt: skip
            else:
                axes.annotate(
                    words, (place, record.y), (0, 3), textcoords="offset points", ha="center",
                    annotation_clip=False, **look,
                )  # fmt: skip

    def _areas(self, axes: Axes, layer: Layer, records: list[Record]) -> None:
        base: dict[float, float] = defaultdict(float)
        groups = self._by_series(records)
        run = reversed(groups.items()) if layer.stack == "zero" else groups.items()
        for name, members in run:
            places = [self._place(r) for r in members]
            lower = [base[p] for p in places]
            upper = [b + (r.y or 0.0) for b, r in zip(lower, members, strict=True)]
            axes.fill_between(
                places,
                lower,
                upper,
                color=self._colour(layer, name),
                alpha=0.75 if layer.stack == "none" else 1.0,
                linewidth=0,
                label=name,
            )
            if layer.stack == "zero":
                base |= dict(zip(places, upper, strict=True))

    def _points(self, axes: Axes, layer: Layer, records: list[Record]) -> None:
        style = self.style
        biggest = self.layout.size.domain[1] if self.layout.size else 1.0
        for name, members in self._by_series(records).items():
            areas = [
                style.point_area if r.size is None else LARGEST_BUBBLE * r.size / biggest
                for r in members
            ]
            colour = self._colour(layer, name)
            places = [self._place(r) for r in members]
            values = [r.y or 0.0 for r in members]
            axes.scatter(
                values if self.figure.horizontal else places,
                places if self.figure.horizontal else values,
                # Vega's size of a circle is its area in pixels, matplotlib's that of its square.
                s=[4 / 3.14159 * a for a in areas],
                facecolors="none" if style.hollow else colour,
                edgecolors=colour if style.hollow else "none",
                linewidths=2 if style.hollow else 0,
                alpha=style.opacity,
                label=name or layer.name,
                zorder=3,
                clip_on=False,
            )

    def _intervals(self, axes: Axes, records: list[Record]) -> None:
        low = [r.low or 0.0 for r in records]
        high = [r.high or 0.0 for r in records]
        middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
        half = [(b - a) / 2 for a, b in zip(low, high, strict=True)]
        places = [self._place(r) for r in records]
        axes.errorbar(
            places,
            middle,
            yerr=half,
            fmt="none",
            ecolor=self.style.ink,
            elinewidth=1.2,
            capsize=4,
            zorder=4,
        )

    def _boxes(self, axes: Axes, records: list[Record]) -> None:
        colour = self.style.palette[0]
        members = self.figure.x.members
        samples = [[r.y for r in records if r.x == name and r.y is not None] for name in members]
        axes.boxplot(
            samples,
            positions=range(len(members)),
            widths=min(0.6, 16 * len(members) / self.figure.width),
            patch_artist=True,
            manage_ticks=False,
            boxprops={"facecolor": colour, "edgecolor": colour},
            medianprops={"color": "white"},
            whiskerprops={"color": self.style.ink},
            showcaps=False,
            flierprops={
                "marker": "o",
                "markersize": 4,
                "markerfacecolor": "none",
                "markeredgecolor": colour,
            },
        )

    def _cells(self, axes: Axes, layer: Layer) -> None:
        figure, layout = self.figure, self.layout
        cmap = LinearSegmentedColormap.from_list("ramp", list(self.style.ramp))
        norm = Normalize(*layout.y.domain)
        for record in layer.records:
            if record.y is None or record.series is None:
                continue
            place = self._place(record)
            row = figure.series.index(record.series)
            axes.fill_between(
                [place - 0.5, place + 0.5],
                row - 0.5,
                row + 0.5,
                color=cmap(norm(record.y)),
                linewidth=0,
            )
            if layer.printed:
                ink = next(c for c, chosen in layout.cell_inks if record in chosen)
                look = self._text(self.style.label_size - 1) | {"color": ink}
                words = format_number(record.y, layout.printed)
                axes.text(place, row, words, ha="center", va="center", **look)
        bar = self.canvas.colorbar(ScalarMappable(norm, cmap), ax=axes, fraction=0.05, pad=0.03)
        bar.set_ticks(list(layout.y.values), labels=list(layout.y.labels))
        bar.ax.tick_params(colors=self.style.ink, labelsize=self.style.label_size)
        for label in bar.ax.get_yticklabels():
            label.set_fontfamily(self.style.font)
        bar.set_label(figure.y.title, **self._text(self.style.label_size + 1))

    def _arc(self, axes: Axes, layer: Layer) -> None:
        figure = self.figure
        members = [r for r in layer.records if r.y is not None]
        wedges, *_ = axes.pie(
            [r.y or 0.0 for r in members],
            colors=[self._colour(layer, str(r.x)) for r in members],
            startangle=90,
            counterclock=False,
            labels=[format_number(r.y or 0.0, self.layout.printed) for r in members]
            if layer.printed
            else None,
            textprops=self._text(self.style.label_size),
            wedgeprops={
                "edgecolor": self.style.background,
                "width": 1 - HOLE if figure.donut else None,
            },
        )
        self._boxed_legend(axes, wedges, [str(r.x) for r in members], figure.x.title)

    def _legend(self, axes: Axes) -> None:
        figure = self.figure
        handles: dict[str, Any] = {}
        for part in self.canvas.axes:
            for handle, label in zip(*part.get_legend_handles_labels(), strict=True):
                handles.setdefault(label, handle)
        names = [name for name in figure.legend if name in handles]
        first: Legend | None = None
        if names and figure.kind != "heat_map":
            first = self._boxed_legend(
                axes, [handles[n] for n in names], names, figure.series_title
            )
        if self.layout.size is not None:
            biggest = self.layout.size.domain[1]
            dots = [
                axes.scatter([], [], s=4 / 3.14159 * LARGEST_BUBBLE * v / biggest, color="#777777")
                for v in self.layout.size.values
            ]
            if first is not None:
                axes.add_artist(first)
                first.set_clip_path(None)
            self._boxed_legend(
                axes, dots, list(self.layout.size.labels), figure.size_title, second=bool(first)
            )

    def _boxed_legend(
        self,
        axes: Axes,
        handles: list[Any],
        names: list[str],
        title: str,
        *,
        second: bool = False,
    ) -> Legend:
        side = self.style.legend
        corner, anchor = self._legend_place(side)
        if second:
            corner, anchor = "lower left", (self._right_edge(), 0.0)
        legend = axes.legend(
            handles,
            names,
            title=title or None,
            ncols=1 if side == "right" or second else len(names),
            frameon=False,
            labelcolor=self.style.ink,
            prop={"family": self.style.font, "size": self.style.label_size},
            title_fontproperties={"family": self.style.font, "size": self.style.label_size + 1},
            loc=corner,
            bbox_to_anchor=anchor,
        )
        legend.get_title().set_color(self.style.ink)
        return legend

    def _legend_place(self, side: LegendSide) -> tuple[str, tuple[float, float]]:
        """Corner of the legend and where it goes, in parts of the (first) panel."""
        figure = self.figure
        if side == "right":
            return "upper left", (self._right_edge(), 1.0)
        across = min(figure.columns, len(figure.panels)) / 2 if figure.panels else 0.5
        if side == "top":
            return "lower center", (across, 1 + 6 / figure.height)
        down = 24 + 2 * self.style.label_size
        if self.layout.angle:
            longest = max(len(member) for member in figure.x.members)
            down += round(longest * self.style.label_size * GLYPH * -self.layout.angle / 90)
        return "upper center", (across, -down / figure.height)

    def _right_edge(self) -> float:
        """Where there is room beside the plot: past the right-hand axis if it has one."""
        labels = self.layout.right.labels if self.layout.right else ()
        room = 34 + max(len(label) for label in labels) * 8 if labels else 10
        return 1 + room / self.figure.width
