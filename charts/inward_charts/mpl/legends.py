"""Legends of colours and of sizes."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.legend import Legend

from inward_charts.layout import GLYPH
from inward_charts.mpl.pen import Pen, raised
from inward_charts.style import CORNERS, LegendSide
from inward_charts.vega import LARGEST_BUBBLE


def draw_legends(pen: Pen, axes: Axes) -> None:
    figure = pen.figure
    handles: dict[str, Any] = {}
    for part in pen.canvas.axes:
        for handle, label in zip(*part.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    names = [name for name in figure.legend if name in handles]
    first: Legend | None = None
    if names and figure.kind != "heat_map" and pen.style.legend != "direct":
        first = boxed_legend(pen, axes, [handles[n] for n in names], names, figure.series_title)
    if pen.layout.size is not None:
        biggest = pen.layout.size.domain[1]
        dots = [
            axes.scatter([], [], s=4 / 3.14159 * LARGEST_BUBBLE * v / biggest, color="#777777")
            for v in pen.layout.size.values
        ]
        if first is not None:
            axes.add_artist(first)
            first.set_clip_path(None)
        boxed_legend(
            pen, axes, dots, list(pen.layout.size.labels), figure.size_title, second=bool(first)
        )


def boxed_legend(
    pen: Pen,
    axes: Axes,
    handles: list[Any],
    names: list[str],
    title: str,
    *,
    second: bool = False,
) -> Legend:
    side = pen.style.legend
    inside = side in CORNERS
    corner, anchor = _place(pen, side)
    if second:
        corner, anchor = "lower left", (_right_edge(pen), 0.0)
    legend = axes.legend(
        handles,
        [raised(name) for name in names],
        title=raised(title) or None,
        ncols=1 if side == "right" or inside or second else len(names),
        frameon=inside,
        edgecolor="#cccccc",
        fancybox=False,
        labelcolor=pen.style.ink,
        prop={"family": pen.style.font, "size": pen.style.label_size},
        title_fontproperties={"family": pen.style.font, "size": pen.style.label_size + 1},
        loc=corner,
        bbox_to_anchor=anchor,
    )
    legend.get_title().set_color(pen.style.ink)
    return legend


def _place(pen: Pen, side: LegendSide) -> tuple[str, tuple[float, float]]:
    """Corner of the legend and where it goes, in parts of the (first) panel."""
    figure = pen.figure
    if side in CORNERS:
        return _CORNERS[side]
    if side == "right":
        return "upper left", (_right_edge(pen), 1.0)
    across = min(figure.columns, len(figure.panels)) / 2 if figure.panels else 0.5
    if side == "top":
        return "lower center", (across, 1 + 6 / figure.height)
    down = 24 + 2 * pen.style.label_size
    if pen.layout.angle:
        longest = max(len(member) for member in figure.x.members)
        down += round(longest * pen.style.label_size * GLYPH * -pen.layout.angle / 90)
    return "upper center", (across, -down / figure.height)


_CORNERS = {
    "top-left": ("upper left", (0.0, 1.0)),
    "top-right": ("upper right", (1.0, 1.0)),
    "bottom-left": ("lower left", (0.0, 0.0)),
    "bottom-right": ("lower right", (1.0, 0.0)),
}


def _right_edge(pen: Pen) -> float:
    """Where there is room beside the plot: past the right-hand axis if it has one."""
    labels = pen.layout.right.labels if pen.layout.right else ()
    room = 34 + max(len(label) for label in labels) * 8 if labels else 10
    return 1 + room / pen.figure.width
