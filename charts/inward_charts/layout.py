"""What both renderers agree on before they draw: ticks, label angles, ink on coloured cells."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace

from inward_charts.figure import Axis, Figure, Layer, Record, Ticks, ticks
from inward_charts.numbers import format_date, tick_decimals

GLYPH = 0.56
"""Mean width of a character, as a part of the font's size."""


@dataclass(frozen=True)
class Layout:
    x: Ticks | None
    """None where x is not an axis of numbers."""
    y: Ticks
    """Of the left axis, or of the colour's numbers in a heat map."""
    right: Ticks | None
    size: Ticks | None
    angle: int
    """Of category labels under the plot: 0, -45 or -90 degrees."""
    dates: tuple[str, ...]
    """Members of a time axis that are labelled."""
    printed: str
    """d3-format of values written at their marks."""
    cell_inks: tuple[tuple[str, tuple[Record, ...]], ...]
    """Text colours in a heat map, and the cells on which each can be read."""


def lay_out(figure: Figure) -> Layout:
    """The layout of `figure`, from its records alone."""
    left = [layer for layer in figure.layers if not layer.right]
    right = [layer for layer in figure.layers if layer.right]
    records = [record for layer in figure.layers for record in layer.records]
    numbers = [float(r.x) for r in records if not isinstance(r.x, str)]
    sizes = [r.size for r in records if r.size is not None]
    values = [r.y for r in records if r.y is not None]
    marked = [note.y for note in figure.notes if note.sort == "level"]
    y = ticks(figure.y, [*_extent(left), *marked])
    return Layout(
        x=ticks(figure.x, numbers) if figure.x.type == "number" else None,
        y=y,
        right=ticks(figure.right, _extent(right)) if figure.right else None,
        size=_sizes(figure, sizes) if sizes else None,
        angle=_angle(figure),
        dates=_labelled_dates(figure) if figure.x.type == "time" else (),
        printed=_printed_format(figure.y, tuple(values)),
        cell_inks=_cell_inks(figure, y),
    )


def _sizes(figure: Figure, sizes: list[float]) -> Ticks:
    """Entries of the legend of sizes: a circle of no area is none of them."""
    whole = ticks(Axis(figure.size_title, "size", "number", count=3), sizes)
    return replace(whole, values=whole.values[1:], labels=whole.labels[1:])


def _extent(layers: list[Layer]) -> list[float]:
    """The numbers that an axis must reach: tops of stacks, ends of intervals, plain values."""
    reach: list[float] = []
    for layer in layers:
        if layer.stack == "zero":
            stacks: dict[tuple[object, object], float] = defaultdict(float)
            for record in layer.records:
                stacks[record.x, record.panel] += record.y or 0.0
            reach += stacks.values()
        elif layer.mark in ("interval", "band"):
            reach += [v for r in layer.records for v in (r.low, r.high) if v is not None]
        else:
            reach += [r.y for r in layer.records if r.y is not None]
    return reach


def _angle(figure: Figure) -> int:
    if figure.horizontal or figure.x.type != "category":
        return 0
    band = figure.width / len(figure.x.members)
    longest = max(len(member) for member in figure.x.members)
    if _width(figure, longest) + 8 < band:
        return 0
    return -45 if longest <= 16 and band > figure.style.label_size * 1.5 else -90


def _width(figure: Figure, characters: int) -> float:
    """Of an axis label, in pixels."""
    wide = 1.15 if figure.style.font == "monospace" else 1.0
    return characters * figure.style.label_size * GLYPH * wide


def _labelled_dates(figure: Figure, most: int = 5) -> tuple[str, ...]:
    """At most five, with room between their labels."""
    members = figure.x.members
    longest = max(len(format_date(day, figure.x.time_format)) for day in members)
    gap = figure.width / max(1, len(members) - 1)
    stride = max(-(-len(members) // most), math.ceil((_width(figure, longest) + 12) / gap))
    return members[::stride]


def _printed_format(axis: Axis, values: tuple[float, ...]) -> str:
    if axis.style == "percent":
        return f".{max(0, tick_decimals(values) - 2)}%"
    prefix = "$" if axis.style == "dollars" else ""
    return f"{prefix},.{tick_decimals(values)}f"


def _cell_inks(figure: Figure, y: Ticks) -> tuple[tuple[str, tuple[Record, ...]], ...]:
    if figure.kind != "heat_map":
        return ()
    low, high = y.domain
    inks: dict[str, list[Record]] = {"#ffffff": [], "#000000": []}
    for record in figure.layers[0].records:
        if record.y is not None:
            colour = ramp_colour(figure.style.ramp, (record.y - low) / (high - low))
            inks["#ffffff" if _luminance(colour) < 0.5 else "#000000"].append(record)
    return tuple((ink, tuple(records)) for ink, records in inks.items())


def ramp_colour(ramp: tuple[str, ...], part: float) -> tuple[float, float, float]:
    """The colour at `part` (0 to 1) of a ramp: linear in RGB between its stops, each 0 to 1."""
    place = min(max(part, 0.0), 1.0) * (len(ramp) - 1)
    left = min(int(place), len(ramp) - 2)
    share = place - left
    a, b = rgb(ramp[left]), rgb(ramp[left + 1])
    mixed = tuple(p + (q - p) * share for p, q in zip(a, b, strict=True))
    return mixed[0], mixed[1], mixed[2]


def rgb(colour: str) -> tuple[float, float, float]:
    """`#rrggbb` as three parts of 1."""
    return (int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255)


def _luminance(colour: tuple[float, float, float]) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
