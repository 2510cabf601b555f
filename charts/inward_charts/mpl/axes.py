"""Axes: lines, ticks, labels, titles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from inward_charts.figure import Axis, Ticks
from inward_charts.mpl.pen import Pen, raised
from inward_charts.numbers import format_date


def frame(pen: Pen, axes: Axes) -> None:
    style = pen.style
    for side, spine in axes.spines.items():
        spine.set_color(style.ink)
        spine.set_linewidth(0.8)
        spine.set_visible(style.frame or side in ("left", "bottom"))
    axes.tick_params(colors=style.ink, labelsize=style.label_size, length=4)
    axes.set_axisbelow(True)


def label_axes(pen: Pen, axes: Axes, *, left: bool, bottom: bool) -> None:
    figure, layout = pen.figure, pen.layout
    across, up = ("y", "x") if figure.horizontal else ("x", "y")
    x_shown, y_shown = bottom, left
    if figure.x.type == "category":
        category_axis(pen, axes, figure.x.title, figure.x.members, across, show=x_shown)
    elif figure.x.type == "time":
        places = [figure.x.members.index(day) for day in layout.dates]
        labels = [format_date(day, figure.x.time_format) for day in layout.dates]
        _ticks(pen, axes, figure.x.title, places, labels, across, show=x_shown)
    else:
        assert layout.x is not None
        number_axis(pen, axes, figure.x, layout.x, across, show=x_shown)
    if figure.kind == "heat_map":
        category_axis(pen, axes, figure.series_title, figure.series, up, show=True)
        axes.invert_yaxis()
        return
    number_axis(pen, axes, figure.y, layout.y, up, show=y_shown)
    if figure.horizontal:
        axes.invert_yaxis()


def category_axis(
    pen: Pen, axes: Axes, title: str, members: Sequence[str], way: str, *, show: bool
) -> None:
    _ticks(pen, axes, title, list(range(len(members))), list(members), way, show=show)
    (axes.set_xlim if way == "x" else axes.set_ylim)(-0.5, len(members) - 0.5)
    angle = -pen.layout.angle
    if way == "x" and angle:
        axes.tick_params(axis="x", labelrotation=angle)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right" if angle == 45 else "center")


def number_axis(pen: Pen, axes: Axes, axis: Axis, ticks: Ticks, way: str, *, show: bool) -> None:
    if axis.log:
        (axes.set_xscale if way == "x" else axes.set_yscale)("log")
        (axes.xaxis if way == "x" else axes.yaxis).minorticks_off()
    elif axis.symlog:
        (axes.set_xscale if way == "x" else axes.set_yscale)(
            "function", functions=_symlog(axis.symlog)
        )
    _ticks(pen, axes, axis.title, list(ticks.values), list(ticks.labels), way, show=show)
    (axes.set_xlim if way == "x" else axes.set_ylim)(*ticks.domain)
    if pen.style.grid and axis is not pen.figure.right:
        axes.grid(
            axis="x" if way == "x" else "y",
            color=pen.style.faint,
            linestyle="--" if pen.style.grid_dash else "-",
            linewidth=0.8,
        )


def _symlog(constant: float) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Vega's symlog and its inverse; matplotlib's own has a linear part."""
    return (
        lambda v: np.sign(v) * np.log1p(np.abs(v) / constant),
        lambda p: np.sign(p) * np.expm1(np.abs(p)) * constant,
    )


def _ticks(
    pen: Pen,
    axes: Axes,
    title: str,
    places: Sequence[float],
    labels: list[str],
    way: str,
    *,
    show: bool,
) -> None:
    size = pen.style.label_size
    title, labels = raised(title), [raised(label) for label in labels]
    if way == "x":
        axes.set_xticks(places, labels if show else [""] * len(labels), family=pen.style.font)
        if show:
            axes.set_xlabel(title, **pen.text(size + 1))
    else:
        axes.set_yticks(places, labels if show else [""] * len(labels), family=pen.style.font)
        if show:
            axes.set_ylabel(title, **pen.text(size + 1))
