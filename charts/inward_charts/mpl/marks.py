"""Marks: one function per sort of mark."""

from __future__ import annotations

from collections import defaultdict

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize

from inward_charts.figure import Layer, Record
from inward_charts.mpl.legends import boxed_legend
from inward_charts.mpl.pen import Pen
from inward_charts.numbers import format_number
from inward_charts.vega import HOLE, LARGEST_BUBBLE


def draw_layer(pen: Pen, axes: Axes, layer: Layer, records: list[Record]) -> None:
    match layer.mark:
        case "bar":
            _bars(pen, axes, layer, records)
        case "line" | "step":
            for name, run in pen.by_series(records).items():
                axes.plot(
                    [pen.place(r) for r in run],
                    [float("nan") if r.y is None else r.y for r in run],
                    color=pen.colour(layer, name),
                    linewidth=pen.style.line_width,
                    drawstyle="steps-post" if layer.mark == "step" else "default",
                    linestyle=pen.dash(name),
                    marker=pen.marker(name) if layer.dots else "",
                    markersize=pen.style.point_area**0.5,
                    label=name or layer.name,
                    zorder=3,
                )
        case "area":
            _areas(pen, axes, layer, records)
        case "band":
            for name, run in pen.by_series(records).items():
                axes.fill_between(
                    [pen.place(r) for r in run],
                    [r.low or 0.0 for r in run],
                    [r.high or 0.0 for r in run],
                    color=pen.colour(layer, name),
                    alpha=0.25,
                    linewidth=0,
                )
        case "tick":
            _strokes(pen, axes, records)
        case "point":
            _points(pen, axes, layer, records)
        case "interval":
            _intervals(pen, axes, records)
        case "rule":
            for record in records:
                axes.axhline(
                    record.y or 0.0,
                    color=pen.colour(layer, None),
                    linestyle="--",
                    linewidth=1.5,
                    label=layer.name,
                )
        case "box":
            _boxes(pen, axes, records)


def _bars(pen: Pen, axes: Axes, layer: Layer, records: list[Record]) -> None:
    figure = pen.figure
    draw = axes.barh if figure.horizontal else axes.bar
    thick = 1 - pen.style.gap
    groups = pen.by_series(records)
    if figure.x.bins:
        axes.bar(
            [r.low or 0.0 for r in records],
            [r.y or 0.0 for r in records],
            [(r.high or 0.0) - (r.low or 0.0) for r in records],
            align="edge",
            color=pen.style.palette[0],
            edgecolor=pen.style.panel,
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
        places = [pen.place(r) for r in members]
        starts = [base[p] for p in places] if layer.stack == "zero" else [0.0] * len(places)
        draw(
            [p + shift for p in places],
            [r.y or 0.0 for r in members],
            slot,
            starts,
            color=pen.colour(layer, name),
            label=name or layer.name,
            **pen.hatch(name),
        )
        for place, record in zip(places, members, strict=True):
            base[place] += record.y or 0.0
    if layer.printed:
        _printed(pen, axes, records)


def _printed(pen: Pen, axes: Axes, records: list[Record]) -> None:
    look = pen.text(pen.style.label_size - 1)
    for record in records:
        if record.y is None:
            continue
        place, words = pen.place(record), format_number(record.y, pen.layout.printed)
        if pen.figure.horizontal:
            axes.annotate(
                words, (record.y, place), (3, 0), textcoords="offset points", va="center",
                annotation_clip=False, **look,
            )  # fmt: skip
        else:
            axes.annotate(
                words, (place, record.y), (0, 3), textcoords="offset points", ha="center",
                annotation_clip=False, **look,
            )  # fmt: skip


def _areas(pen: Pen, axes: Axes, layer: Layer, records: list[Record]) -> None:
    base: dict[float, float] = defaultdict(float)
    groups = pen.by_series(records)
    run = reversed(groups.items()) if layer.stack == "zero" else groups.items()
    for name, members in run:
        places = [pen.place(r) for r in members]
        lower = [base[p] for p in places]
        upper = [b + (r.y or 0.0) for b, r in zip(lower, members, strict=True)]
        axes.fill_between(
            places,
            lower,
            upper,
            color=pen.colour(layer, name),
            alpha=0.75 if layer.stack == "none" else 1.0,
            linewidth=0,
            label=name,
        )
        if layer.stack == "zero":
            base |= dict(zip(places, upper, strict=True))


def _points(pen: Pen, axes: Axes, layer: Layer, records: list[Record]) -> None:
    style = pen.style
    biggest = pen.layout.size.domain[1] if pen.layout.size else 1.0
    for name, members in pen.by_series(records).items():
        areas = [
            style.point_area if r.size is None else LARGEST_BUBBLE * r.size / biggest
            for r in members
        ]
        colour = pen.colour(layer, name)
        places = [pen.place(r) + _across(pen, r) for r in members]
        values = [r.y or 0.0 for r in members]
        axes.scatter(
            values if pen.figure.horizontal else places,
            places if pen.figure.horizontal else values,
            # Vega's size of a circle is its area in pixels, matplotlib's that of its square.
            s=[4 / 3.14159 * a for a in areas],
            facecolors="none" if style.hollow else colour,
            edgecolors=colour if style.hollow else "none",
            linewidths=2 if style.hollow else 0,
            alpha=style.opacity,
            marker=pen.marker(name),
            label=name or layer.name,
            zorder=3,
            clip_on=False,
        )


def _across(pen: Pen, record: Record) -> float:
    """How far a point stands beside the middle of its category's band."""
    if record.shift is None:
        return 0.0
    # Where Vega puts it: see the domain of the offset in `vega.channels`.
    return (1 - pen.style.gap) * ((record.shift + 0.6) / 2.2 - 0.5)


def _strokes(pen: Pen, axes: Axes, records: list[Record]) -> None:
    """A short line across the band for each record."""
    half = (1 - pen.style.gap) * 0.4
    places = [pen.place(r) for r in records]
    draw = axes.vlines if pen.figure.horizontal else axes.hlines
    draw(
        [r.y or 0.0 for r in records],
        [p - half for p in places],
        [p + half for p in places],
        color=pen.style.palette[0],
        alpha=pen.style.opacity,
        linewidth=1.5,
    )


def _intervals(pen: Pen, axes: Axes, records: list[Record]) -> None:
    low = [r.low or 0.0 for r in records]
    high = [r.high or 0.0 for r in records]
    middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
    half = [(b - a) / 2 for a, b in zip(low, high, strict=True)]
    places = [pen.place(r) for r in records]
    axes.errorbar(
        places,
        middle,
        yerr=half,
        fmt="none",
        ecolor=pen.style.ink,
        elinewidth=1.2,
        capsize=4,
        zorder=4,
    )


def _boxes(pen: Pen, axes: Axes, records: list[Record]) -> None:
    colour = pen.style.palette[0]
    members = pen.figure.x.members
    samples = [[r.y for r in records if r.x == name and r.y is not None] for name in members]
    axes.boxplot(
        samples,
        positions=range(len(members)),
        widths=min(0.6, 16 * len(members) / pen.figure.width),
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "edgecolor": colour},
        medianprops={"color": "white"},
        whiskerprops={"color": pen.style.ink},
        showcaps=False,
        flierprops={
            "marker": "o",
            "markersize": 4,
            "markerfacecolor": "none",
            "markeredgecolor": colour,
        },
    )


def draw_cells(pen: Pen, axes: Axes, layer: Layer) -> None:
    figure, layout = pen.figure, pen.layout
    cmap = LinearSegmentedColormap.from_list("ramp", list(pen.style.ramp))
    norm = Normalize(*layout.y.domain)
    for record in layer.records:
        if record.y is None or record.series is None:
            continue
        place = pen.place(record)
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
            look = pen.text(pen.style.label_size - 1) | {"color": ink}
            words = format_number(record.y, layout.printed)
            axes.text(place, row, words, ha="center", va="center", **look)
    bar = pen.canvas.colorbar(ScalarMappable(norm, cmap), ax=axes, fraction=0.05, pad=0.03)
    bar.set_ticks(list(layout.y.values), labels=list(layout.y.labels))
    bar.ax.tick_params(colors=pen.style.ink, labelsize=pen.style.label_size)
    for label in bar.ax.get_yticklabels():
        label.set_fontfamily(pen.style.font)
    bar.set_label(figure.y.title, **pen.text(pen.style.label_size + 1))


def draw_arc(pen: Pen, axes: Axes, layer: Layer) -> None:
    figure = pen.figure
    members = [r for r in layer.records if r.y is not None]
    wedges, *_ = axes.pie(
        [r.y or 0.0 for r in members],
        colors=[pen.colour(layer, str(r.x)) for r in members],
        startangle=90,
        counterclock=False,
        labels=[format_number(r.y or 0.0, pen.layout.printed) for r in members]
        if layer.printed
        else None,
        textprops=pen.text(pen.style.label_size),
        wedgeprops={
            "edgecolor": pen.style.background,
            "width": 1 - HOLE if figure.donut else None,
        },
    )
    boxed_legend(pen, axes, wedges, [str(r.x) for r in members], figure.x.title)
