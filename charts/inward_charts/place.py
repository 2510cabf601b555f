"""Where a legend or a name has room inside a plot."""

from __future__ import annotations

import math

from inward_charts.figure import Axis, Figure, Note, Ticks
from inward_charts.layout import GLYPH, Layout, lay_out
from inward_charts.style import CORNERS, LegendSide

MARGIN = 10
"""Pixels between a legend and the edge of its plot, with the padding of its box."""


def part(axis: Axis, ticks: Ticks, value: float) -> float:
    """Where along an axis a value is, from 0 to 1."""
    low, high, place = (_moved(axis, v) for v in (*ticks.domain, value))
    return (place - low) / (high - low)


def value_at(axis: Axis, ticks: Ticks, part: float) -> float:
    """The value at `part` of an axis, from 0 to 1."""
    low, high = (_moved(axis, v) for v in ticks.domain)
    place = low + (high - low) * part
    if axis.log:
        return float(10**place)
    if axis.symlog:
        return math.copysign(math.expm1(abs(place)) * axis.symlog, place)
    return place


def _moved(axis: Axis, value: float) -> float:
    if axis.log:
        return math.log10(value)
    if axis.symlog:
        return math.copysign(math.log1p(abs(value) / axis.symlog), value)
    return value


def label_ends(figure: Figure, layout: Layout) -> list[tuple[str, float, float]]:
    """Name, x and y of each line's label: at its last point, and a line of text apart."""
    assert layout.x is not None
    (line,) = (layer for layer in figure.layers if layer.mark == "line")
    ends: list[tuple[float, str, float]] = []
    for name in figure.series:
        x, y = [(r.x, r.y) for r in line.records if r.series == name and r.y is not None][-1]
        ends.append((part(figure.y, layout.y, y), name, float(x)))
    ends.sort()
    step = (figure.style.label_size + 2) / figure.height
    heights = [end for end, _, _ in ends]
    for _ in range(200):
        # Neighbours that are too near push each other apart, evenly.
        for i in range(len(heights) - 1):
            lack = step - (heights[i + 1] - heights[i])
            if lack > 1e-9:
                heights[i] -= lack / 2
                heights[i + 1] += lack / 2
    return [
        (name, x, value_at(figure.y, layout.y, height))
        for (_, name, x), height in zip(ends, heights, strict=True)
    ]


def near_top(figure: Figure, layout: Layout, note: Note) -> bool:
    """Whether words above a note would leave the plot."""
    return part(figure.y, layout.y, note.y) > 1 - 16 / figure.height


def free_corner(figure: Figure) -> LegendSide | None:
    """The corner in which the legend covers no mark and no note, if there is one."""
    layout = lay_out(figure)
    if figure.x.type == "number":
        assert layout.x is not None
    taken: list[tuple[float, float]] = []
    for layer in figure.layers:
        for record in layer.records:
            across = _across(figure, layout, record.x)
            for value in (record.y, record.low, record.high):
                if value is not None and (layer.mark != "bar" or value == record.y):
                    taken.append((across, part(figure.y, layout.y, value)))
    for note in figure.notes:
        taken += _of_note(figure, layout, note.sort, note.x, note.y, note.x2)
    size = figure.style.label_size
    longest = max(len(name) for name in (*figure.legend, figure.series_title))
    wide = (longest * size * GLYPH + 34 + MARGIN) / figure.width
    high = ((len(figure.legend) + 1) * (size + 4) + 8 + MARGIN) / figure.height
    filled = any(layer.mark in ("bar", "area") for layer in figure.layers)
    for corner in CORNERS:
        top, left = corner.startswith("top"), corner.endswith("left")
        if filled and not top:
            continue
        if (
            wide < 0.6
            and high < 0.6
            and not any(
                (x < wide if left else x > 1 - wide) and (y > 1 - high if top else y < high)
                for x, y in taken
            )
        ):
            return corner
    return None


def _across(figure: Figure, layout: Layout, x: str | float) -> float:
    if isinstance(x, str):
        return (figure.x.members.index(x) + 0.5) / len(figure.x.members)
    assert layout.x is not None
    return part(figure.x, layout.x, x)


def _of_note(
    figure: Figure, layout: Layout, sort: str, x: float, y: float, x2: float
) -> list[tuple[float, float]]:
    """Places that a note's words take."""
    steps = [i / 10 for i in range(11)]
    if sort == "level":
        height = part(figure.y, layout.y, y)
        return [(step, height) for step in steps] + [(0.0, height + 0.08), (1.0, height + 0.08)]
    assert layout.x is not None
    place = part(figure.x, layout.x, x)
    if sort == "words":
        height = part(figure.y, layout.y, y)
        return [(place + step / 5, height + 0.05) for step in steps]
    end = part(figure.x, layout.x, x2) if sort == "span" else place + 0.25
    return [(place + (end - place) * step, 0.97) for step in steps]
