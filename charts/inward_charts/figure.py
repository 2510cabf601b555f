"""A chart as content and looks, apart from any renderer: what `vega` and `mpl` both draw.

The surprise: a figure holds no ticks and no axis ends. They follow from the records (`ticks`), so a
figure whose records were changed is a chart that somebody could really have drawn from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from inward_charts.numbers import (
    SHORT,
    format_number,
    nice_ticks,
    power_of_ten,
    shortens,
    tick_decimals,
)
from inward_charts.style import Style

Mark = Literal[
    "bar", "line", "step", "area", "band", "point", "tick", "arc", "cell", "box", "interval", "rule"
]
Stack = Literal["none", "zero", "group"]
NumberStyle = Literal["plain", "short", "percent", "dollars", "power"]


@dataclass(frozen=True)
class Record:
    """One observation. Which fields are set depends on the layer's mark; see `Layer`."""

    x: str | float
    y: float | None = None
    """None: the observation is missing."""
    series: str | None = None
    panel: str | None = None
    low: float | None = None
    high: float | None = None
    size: float | None = None
    shift: float | None = None
    """Of a point, its place across the band of its category, from 0 to 1: it shows no number."""


@dataclass(frozen=True)
class Axis:
    """One direction of the plot. `category` and `time` axes show their members in drawn order."""

    title: str
    field: str
    type: Literal["number", "category", "time"]
    members: tuple[str, ...] = ()
    """Categories, or ISO dates of a `time` axis."""
    style: NumberStyle = "plain"
    zero: bool = True
    log: bool = False
    symlog: float = 0.0
    """Above 0: sign(v) log(1 + |v| / symlog), a logarithmic axis with both signs and zero."""
    count: int = 5
    """About how many ticks."""
    room: float = 0.0
    """Left free above the values, for notes, as a part of what they span."""
    time_format: str = "%b %Y"
    bins: tuple[float, ...] = ()
    """Edges of a histogram's bins; the ticks are some of them."""


@dataclass(frozen=True)
class Layer:
    """Marks of one sort and the records that they show.

    bar, line, step, area, point, tick: y at x, one colour a series; arc: y is the angle, x the
    sector; cell: the colour's number y at (x, series); box: the five numbers of all y at x;
    interval, band: low to high at x; rule: a line across the plot at y.
    """

    mark: Mark
    records: tuple[Record, ...]
    stack: Stack = "none"
    dots: bool = False
    """Points on a line."""
    right: bool = False
    """Measured on an axis of its own, on the right."""
    name: str | None = None
    """The layer's entry in the legend, where a layer rather than a field has the colour."""
    printed: bool = False
    """Each value is written at its mark."""


@dataclass(frozen=True)
class Note:
    """A remark on a plot whose axes are of numbers.

    level: a line across at y; moment: a line up at x; span: a region from x to x2; words: at
    (x, y).
    """

    sort: Literal["level", "moment", "span", "words"]
    text: str
    x: float = 0.0
    y: float = 0.0
    x2: float = 0.0
    left: bool = False
    """The words stand on the left of their point, or at the left end of a line across."""


@dataclass(frozen=True)
class Figure:
    """A plot, or several that share their axes: a whole chart, or a panel of a `Sheet`."""

    kind: str
    level: int
    title: tuple[str, ...]
    """Lines of the title; none for a chart without."""
    x: Axis
    y: Axis
    layers: tuple[Layer, ...]
    style: Style
    width: int
    """Of the plot (of one panel, in a chart of panels), in pixels."""
    height: int
    right: Axis | None = None
    series_title: str = ""
    series: tuple[str, ...] = ()
    size_title: str = ""
    panel_title: str = ""
    panels: tuple[str, ...] = ()
    columns: int = 0
    horizontal: bool = False
    donut: bool = False
    notes: tuple[Note, ...] = ()

    @property
    def legend(self) -> tuple[str, ...]:
        """Entries of the colour legend, in order."""
        if self.series:
            return self.series
        return tuple(layer.name for layer in self.layers if layer.name is not None)


@dataclass(frozen=True)
class Sheet:
    """A figure of different panels side by side, as papers have them. Panels share one style."""

    kind: str
    level: int
    title: tuple[str, ...]
    figures: tuple[Figure, ...]
    """Each has a title of its own, unlike the others'."""
    columns: int

    @property
    def style(self) -> Style:
        return self.figures[0].style


@dataclass(frozen=True)
class Ticks:
    """Where an axis of numbers is labelled; its ends are the first and last value of `domain`."""

    values: tuple[float, ...]
    labels: tuple[str, ...]
    format: str
    """The same as a d3-format specifier; empty where no specifier writes them."""
    domain: tuple[float, float]


def ticks(axis: Axis, values: list[float]) -> Ticks:
    """Round ticks for an axis of numbers that shows `values`."""
    if axis.bins:
        marks = axis.bins[:: -(-len(axis.bins) // 8)]
        domain = (axis.bins[0], axis.bins[-1])
    elif axis.log:
        first = math.floor(math.log10(min(values)))
        last = max(first + 1, math.ceil(math.log10(max(values))))
        marks = tuple(10.0**power for power in range(first, last + 1))
        domain = (marks[0], marks[-1])
        if axis.style == "power":
            marks = marks[:: 1 + (last - first) // 6]
            return Ticks(marks, tuple(power_of_ten(m) for m in marks), "", domain)
    elif axis.symlog:
        return _symlog_ticks(axis.symlog, values)
    else:
        low, high = min(values), max(values)
        if axis.zero:
            low, high = min(low, 0.0), max(high, 0.0)
        high += axis.room * (high - low)
        if low == high:
            low, high = low - abs(low) / 2 - 0.5, high + abs(high) / 2 + 0.5
        marks = nice_ticks(low, high, axis.count)
        domain = (marks[0], marks[-1])
    form = _format(axis, marks)
    return Ticks(marks, tuple(format_number(m, form) for m in marks), form, domain)


def _symlog_ticks(constant: float, values: list[float]) -> Ticks:
    """Zero and the powers of ten above the constant, on either side as far as the values reach."""
    first = math.floor(math.log10(constant)) + 1
    sides = []
    for reach in (-min(values), max(values)):
        last = max(first, math.ceil(math.log10(reach))) if reach > 0 else first
        sides.append([10.0**power for power in range(first, last + 1, 1 + (last - first) // 4)])
        if sides[-1][-1] < reach:
            sides[-1].append(10.0**last)
    marks = (*(-m for m in reversed(sides[0])), 0.0, *sides[1])
    labels = tuple(power_of_ten(m) if m else "0" for m in marks)
    return Ticks(marks, labels, "", (marks[0], marks[-1]))


def _format(axis: Axis, marks: tuple[float, ...]) -> str:
    if axis.style == "percent":
        return f".{max(0, tick_decimals(marks) - 2)}%"
    if axis.style == "short" and shortens(marks):
        return SHORT
    thousands = any(abs(m) >= 1000 for m in marks)
    prefix = "$" if axis.style == "dollars" else ""
    return f"{prefix}{',' if thousands else ''}.{tick_decimals(marks)}f"
