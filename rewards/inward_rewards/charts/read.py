"""From what can be seen of a chart's items to its table, texts, marks and encodings."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import ImageColor

from .paint import Element, Painting
from .plan import SEPARATOR, Channel, Kind, MarkPlan, Plan
from .scene import Key, Row, Scene, unique_rows

SERIES = ("color", "shape", "strokeDash", "size", "opacity")
READABLE_SPAN = {"color": 48.0, "size": 2.0}
"""How far apart the smallest and the largest value of one scale must be drawn to be told apart:
steps of 255 between colours, pixels between diameters."""
READABLE_PIXELS = 24.0
"""The same for places and lengths; or a value must itself be as long."""
SUM_DIGITS = 12
"""Significant digits of a stack's ends."""
SEEN_NAMES = 0.5
"""Share of a scale's names that must be printed somewhere; labels that overlap are thinned out."""
CUT_NAME = 3
"""Least characters that are left of a name that was cut."""
PRINTED = re.compile(
    r"[^\d.+-]*(?P<digits>[+-]?(?:\d+(?:\.(?P<decimals>\d*))?|\.(?P<bare>\d+)))"
    r"(?:e(?P<power>[+-]?\d{1,2}))?\s*(?P<prefix>[kMGBTPmµn%]?)[^\d]*"
)
"""A number as d3 formats it, without its thousands' commas and with a hyphen for the minus."""
MONTHS = (
    "january february march april may june july august september october november december"
).split()
DATED = re.compile(
    rf"(?:(?P<before>\d{{1,2}}) )?(?P<month>{'|'.join(f'{m[:3]}(?:{m[3:]})?' for m in MONTHS)})\.?"
    r"(?: (?P<after>\d{1,2}),)? (?P<year>\d{4})|(?P<whole>\d{4}-\d{2})",
    re.IGNORECASE,
)
"""A name that is a month or a day of a year."""
PREFIXES = {
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "B": 1e9,
    "T": 1e12,
    "P": 1e15,
    "%": 1e-2,
    "m": 1e-3,
    "µ": 1e-6,
    "n": 1e-9,
}

AXES = ("x", "y", "theta", "radius")
PLACES = {"x", "y", "x2", "y2", "width", "height", "size", "startAngle", "endAngle"}
Role = Literal["absent", "key", "length", "range", "single"]
"""What an axis does for an item: names its place, shows a length from a baseline or on a stack,
shows two ends, or one number that is a value or a place."""
End = tuple[float, tuple[float, ...]]
"""A value of a scale and how it is drawn: a place in pixels, a colour, a diameter."""
Given = str | float | np.datetime64 | None
"""A value of the data: a name, a number, a time, or nothing."""


@dataclass(frozen=True)
class Reading:
    """A row, and how the picture shows its value."""

    row: Row
    channel: Channel
    cell: str
    ends: tuple[End, ...]


def read(plan: Plan, painting: Painting) -> Scene:
    """The scene of a painted chart."""
    texts: list[str] = []
    readings: list[Reading] = []
    marks: set[str] = set()
    encodings: set[str] = set()
    names: dict[str, set[str]] = defaultdict(set)
    for number, element in enumerate(painting.elements, 1):
        if not painting.visible[number]:
            continue
        if element.text is not None:
            texts.append(element.text)
        if not element.data:
            continue
        mark = plan.marks[element.mark]
        facets = [_key(value) for value in _given(element.cell) if value is not None]
        marks.add(mark.kind)
        encodings |= {
            f"{channel.name.removesuffix('2')}:{channel.kind}" for channel in mark.channels
        }
        if facets:
            encodings.add("facet:discrete")
            names["facet"] |= {key for key in facets if isinstance(key, str)}
        for item in element.items:
            # A place that no scale has, as of 0 on a logarithmic one, is null.
            if item.get("defined", True) is False or None in map(item.get, PLACES & item.keys()):
                continue
            reader = _Item(mark, item, element, number, painting)
            readings += reader.readings(facets)
            for channel in mark.channels:
                value = reader.given[channel.name]
                if isinstance(value, str) and channel.name != "text":
                    names[channel.scale].add(value)
    unread = _unread(names, texts)
    rows = (
        Row(_keys("" if key in unread else _dated(key) for key in row.keys), row.value)
        for row in _readable(readings)
    )
    return Scene(unique_rows(rows), tuple(texts), tuple(sorted(marks)), tuple(sorted(encodings)))


class _Item:
    """One item of a data mark: its values by channel, and its place in the picture."""

    def __init__(
        self,
        mark: MarkPlan,
        item: dict[str, Any],
        element: Element,
        number: int,
        painting: Painting,
    ) -> None:
        self.mark, self.item, self.element = mark, item, element
        self.number, self.painting = number, painting
        self.channels = {channel.name: channel for channel in mark.channels}
        values = _given(item.get("description", ""))
        self.given: dict[str, Given] = {
            channel.name: _of_kind(channel.kind, value)
            for channel, value in zip(mark.channels, values, strict=True)
        }

        self.roles = {name: self._role(name) for name in AXES}

    def readings(self, facets: list[Key]) -> Iterator[Reading]:
        """Rows of the values that places show, then of those that colours and sizes show."""
        series = self._series()
        if self.mark.kind == "text":
            value = self.given.get("text")
            if isinstance(value, float) and _prints(self.element.text or "", value):
                names = [_key(self.given[name]) for name in AXES if self.roles[name] == "key"]
                yield self._reading("text", value, [*names, *series, *facets], ())
            return
        axes = self._value_axes()
        if self.mark.shifted or not all(self._ends_seen(name) for name in axes):
            return
        shown: set[float] = set()
        for name in axes:
            ends = self._ends(name)
            for value in self._values(name):
                shown.add(value)
                yield self._reading(name, value, [*self._places(axes), *series, *facets], ends)
        flat = self.roles["x"] == self.roles["y"] == "single"
        keys = [*self._places(() if flat else axes), *series, *facets]
        for name in ("color", "size"):
            value = self.given.get(name)
            if isinstance(value, float) and value not in shown:
                yield self._reading(name, value, keys, ((value, self._look(name)),))

    def _reading(self, name: str, value: float, keys: list[Key], ends: tuple[End, ...]) -> Reading:
        return Reading(Row(_keys(keys), value), self.channels[name], self.element.cell, ends)

    def _role(self, name: str) -> Role:
        channel, value = self.channels.get(name), self.given.get(name)
        if channel is None or value is None:
            return "absent"
        if channel.kind != "quantitative":
            return "key"
        if name in self.mark.stacked:
            return "length"
        if name in self.mark.from_zero:
            return "length"
        return "range" if isinstance(self.given.get(f"{name}2"), float) else "single"

    def _value_axes(self) -> tuple[str, ...]:
        """The axes along which the mark shows its numbers; along the others it shows where."""
        by_role = {
            role: tuple(name for name in AXES if self.roles[name] == role)
            for role in ("length", "range", "single")
        }
        if by_role["length"]:
            return by_role["length"]
        if by_role["range"]:
            binned = len(by_role["range"]) > 1 and any(
                isinstance(self.given.get(name), float) for name in ("color", "size")
            )
            return () if binned else by_role["range"][-1:]
        if by_role["single"] == ("x", "y"):
            return ("y",)
        return by_role["single"]

    def _places(self, value_axes: tuple[str, ...]) -> Iterator[Key]:
        for name in AXES:
            if name in value_axes or self.roles[name] in ("absent", "length"):
                continue
            value, other = self.given[name], self.given.get(f"{name}2")
            if isinstance(value, float) and isinstance(other, float):
                yield (value + other) / 2
            elif isinstance(value, np.datetime64) and isinstance(other, np.datetime64):
                yield _key(min(value, other))
            else:
                yield _key(value)
        for name in ("xOffset", "yOffset"):
            if isinstance(self.given.get(name), str):
                yield _key(self.given[name])

    def _series(self) -> list[Key]:
        return [
            _key(self.given[name])
            for name in SERIES
            if name in self.channels
            and self.channels[name].kind != "quantitative"
            and self.given[name] is not None
        ]

    def _values(self, name: str) -> list[float]:
        value, other = self.given[name], self.given.get(f"{name}2")
        assert isinstance(value, float)
        if name in self.mark.stacked:
            assert isinstance(other, float)
            length = _difference(value, other)
            return [abs(length) if name == "theta" else length]
        return [value, other] if isinstance(other, float) else [value]

    def _extent(self, name: str) -> tuple[float, float]:
        """The item's two ends along x or y, in its group's pixels."""
        low = self.item.get(name, 0.0)
        side = {"x": "width", "y": "height"}[name]
        if side in self.item:
            return low, low + self.item[side]
        return low, self.item.get(f"{name}2", low)

    def _ends(self, name: str) -> tuple[End, ...]:
        value, other = self.given[name], self.given.get(f"{name}2")
        assert isinstance(value, float)
        if name == "theta":
            turn = abs(self.item.get("endAngle", 0.0) - self.item.get("startAngle", 0.0))
            far = self.item.get("outerRadius", 0.0) * turn
            return (0.0, (0.0,)), (self._values(name)[0], (far,))
        if name == "radius":
            low, high = self.item.get("innerRadius", 0.0), self.item.get("outerRadius", 0.0)
        else:
            low, high = self._extent(name)
        if self.roles[name] == "single":
            return ((value, ((low + high) / 2,)),)
        start = other if isinstance(other, float) else 0.0
        return (value, (low,)), (start, (high,))

    def _look(self, name: str) -> tuple[float, ...]:
        if name == "size":
            return (float(self.item.get("size", 0.0)) ** 0.5,)
        color = self.item.get("fill")
        if color in (None, "transparent"):
            color = self.item.get("stroke", "#000")
        return tuple(float(part) for part in ImageColor.getrgb(color)[:3])

    def _ends_seen(self, name: str) -> bool:
        """Whether the ends that show the value along an axis can be seen."""
        if name not in ("x", "y") or self.mark.kind in ("point", "tick"):
            return True
        other = "y" if name == "x" else "x"
        (low, high), (left, right) = self._extent(name), self._extent(other)
        path = self.element.path
        ends = {low, high} if self.roles[name] == "range" or not path else {low}
        if path:
            right = left
        for end in ends:
            places = [(end, left + (right - left) * share) for share in (0.5, 0.25, 0.75)]
            if not any(
                self.painting.owns(
                    self.number,
                    self.element.x + (along if name == "x" else across),
                    self.element.y + (across if name == "x" else along),
                )
                for along, across in places
            ):
                return False
        return True


def _prints(text: str, value: float) -> bool:
    """Whether a text is the value, to the last place that it gives and to a tenth of the value."""
    found = PRINTED.fullmatch(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))
    if found is None:
        return False
    decimals = len(found["decimals"] or found["bare"] or "")
    power = int(found["power"] or 0)
    for unit in {1.0, PREFIXES.get(found["prefix"], 1.0)}:
        shown = float(found["digits"]) * 10.0**power * unit
        place = 10.0 ** (power - decimals) * unit
        if abs(shown - value) <= max(min(0.6 * place, 0.1 * abs(value)), 1e-9 * abs(value)):
            return True
    return False


def _difference(end: float, start: float) -> float:
    """The length between two sums, without what adding up left of rounding: 26.42, not 26.4199…

    A printed value is the same number then, and no second row.
    """
    largest = max(abs(end), abs(start))
    return round(end - start, SUM_DIGITS - math.ceil(math.log10(largest))) if largest else 0.0


def _given(description: str) -> list[Given]:
    """The values that `plan.instrument` wrote into a description."""
    return [_value(part) for part in description.split(SEPARATOR)] if description else []


def _value(part: str) -> Given:
    tag, text = part[:1], part[1:]
    if tag == "d":
        number = float(text)
        return number if np.isfinite(number) else None
    if tag == "t":
        return np.datetime64(int(float(text)), "ms")
    return text if tag == "s" else None


def _of_kind(kind: Kind, value: Given) -> Given:
    """The value as its scale takes it: milliseconds are a time, digits may be a number."""
    if kind == "temporal" and isinstance(value, float):
        return np.datetime64(int(value), "ms")
    if kind != "quantitative" or not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return number if np.isfinite(number) else None


def _key(value: Given) -> Key:
    assert value is not None
    if isinstance(value, np.datetime64):
        return str(value).removesuffix("T00:00:00.000")
    return value


def _dated(key: Key) -> Key:
    """A date written as a name as the date: whether a chart's axis is of time cannot be seen."""
    found = DATED.fullmatch(key) if isinstance(key, str) else None
    if found is None:
        return key
    if found["whole"]:
        return f"{found['whole']}-01"
    month = 1 + [name[:3] for name in MONTHS].index(found["month"][:3].lower())
    return f"{found['year']}-{month:02}-{int(found['before'] or found['after'] or 1):02}"


def _keys(keys: Iterable[Key]) -> tuple[Key, ...]:
    return tuple(dict.fromkeys(keys))


def _readable(readings: list[Reading]) -> Iterator[Row]:
    """The rows whose values the picture tells apart from the others of their scale."""
    ends: dict[tuple[str, str], list[End]] = defaultdict(list)
    for reading in readings:
        ends[reading.channel.scale, reading.cell] += reading.ends
    spans = {scale: _span(found) for scale, found in ends.items()}
    for reading in readings:
        values, drawn = spans.get((reading.channel.scale, reading.cell), (0.0, 0.0))
        kind = reading.channel.name
        long_enough = (
            kind not in READABLE_SPAN
            and values > 0
            and (abs(reading.row.value) * drawn / values >= READABLE_PIXELS)
        )
        if values == 0 or long_enough or drawn >= READABLE_SPAN.get(kind, READABLE_PIXELS):
            yield reading.row


def _span(ends: list[End]) -> tuple[float, float]:
    """How far values spread, and how far apart they are drawn."""
    if not ends:
        return 0.0, 0.0
    values = [value for value, _ in ends]
    drawn = np.array([place for _, place in ends])
    return max(values) - min(values), float((drawn.max(axis=0) - drawn.min(axis=0)).max())


def _unread(names: dict[str, set[str]], texts: list[str]) -> set[str]:
    """The names of discrete scales that no label, legend, title or text mark prints."""
    printed = set(texts)
    starts = tuple(text[:-1] for text in texts if text.endswith("…") and len(text) > CUT_NAME)
    unread: set[str] = set()
    for scale_names in names.values():
        # What is left of a cut name tells it only if no other begins alike.
        cut = [[name for name in scale_names if name.startswith(start)] for start in starts]
        missing = scale_names - printed - {names[0] for names in cut if len(names) == 1}
        if len(scale_names) - len(missing) < SEEN_NAMES * len(scale_names):
            unread |= missing
    return unread
