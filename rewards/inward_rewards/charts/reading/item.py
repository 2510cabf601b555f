"""One drawn item: the values behind its channels, and what it shows along each axis."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from inward_rewards.charts.reading.labels import Labels
from inward_rewards.charts.reading.names import of_time
from inward_rewards.charts.reading.plan import Channel, MarkPlan
from inward_rewards.charts.reading.printed import number, one_number, prints
from inward_rewards.charts.reading.scene import Key
from inward_rewards.charts.reading.svg import Element, rgb
from inward_rewards.charts.reading.values import Given, given, of_kind
from inward_rewards.charts.reading.visibility import TRANSLUCENT, Visibility

SERIES = ("color", "shape", "strokeDash", "size", "opacity")
AXES = ("x", "y", "theta", "radius")
PLACES = {"x", "y", "x2", "y2", "width", "height", "size", "startAngle", "endAngle"}
Role = Literal["absent", "key", "length", "range", "single"]
"""What an axis does for an item: names its place, shows a length from a baseline or on a stack,
shows two ends, or one number that is a value or a place."""
End = tuple[float, tuple[float, ...]]
"""A value of a scale and how it is drawn: a place in pixels, a colour, a diameter."""
EPOCH, DAY = np.datetime64(0, "ms"), np.timedelta64(1, "D")


@dataclass(frozen=True)
class Reading:
    """A number, its keys, and how the picture shows it."""

    keys: tuple[Key, ...]
    value: float
    channel: Channel
    cell: str
    ends: tuple[End, ...]
    """What tells it apart from the others of its scale; printed numbers have none."""
    length: bool = False
    """Judged by the longest of its scale, as a part of a stack or a circle is."""


@dataclass(frozen=True)
class Extent:
    """An item that reaches from one value of an axis to another, before it is known what it shows:
    a bar from its baseline, a part of a stack, or a range of two numbers."""

    keys: tuple[Key, ...]
    low: End
    high: End
    """By value."""
    across: tuple[float, float]
    """Its two sides along the other axis, in the picture's pixels."""
    look: tuple[Any, ...]
    item: Item
    axis: str
    others: tuple[Item, ...] = ()
    """Drawn as one with it."""

    def part(self, **ends: Any) -> Extent:
        return replace(self, **ends)

    @property
    def solid(self) -> bool:
        """Hides what is behind it, and stands for nothing but its own length."""
        return self.item.mark.kind in ("bar", "area", "rect")

    @property
    def hides(self) -> bool:
        return self.solid and self.item.element.opacity >= TRANSLUCENT

    def seen(self, *ends: End) -> bool:
        """Whether these ends of it own pixels in the picture."""
        if self.axis == "radius":
            return True
        items = (self.item, *self.others)
        return all(
            any(item.edge_seen(self.axis, end[1][0], self.across) for item in items) for end in ends
        )


class Item:
    """One item of a data mark: its values by channel, and its place in the picture."""

    def __init__(
        self,
        mark: MarkPlan,
        item: dict[str, Any],
        element: Element,
        number: int,
        visibility: Visibility,
        labels: Labels,
    ) -> None:
        self.mark, self.item, self.element = mark, item, element
        self.number, self.visibility, self.labels = number, visibility, labels
        self.channels = {channel.name: channel for channel in mark.channels}
        values = given(item.get("description", ""))
        self.given: dict[str, Given] = {}
        self.names: dict[str, Given] = {}
        """Of discrete channels, what must be printed somewhere to count; times are read off."""
        self.unread: Set[tuple[str, Given]] = frozenset()
        self.pixels: dict[str, float] = {}
        for channel, (value, pixel) in zip(mark.channels, values, strict=True):
            value = of_kind(channel.kind, value)
            numeric = channel.kind == "quantitative" and channel.name != "text"
            if numeric and not isinstance(value, float):
                value = None  # "", true, a Date: drawn as a number that nothing here states
            if channel.kind == "discrete" and channel.name != "text":
                printed = labels.name(channel.scale, value)
                kinds = str | float if channel.name in SERIES else str
                if isinstance(printed, kinds) and not isinstance(value, np.datetime64):
                    self.names[channel.name] = printed
                value = printed
            self.given[channel.name] = value
            self.pixels[channel.name] = pixel
        self.facets = tuple(
            self._key("facet", value) for value, _ in given(element.cell) if value is not None
        )
        self.roles = {name: self._role(name) for name in AXES}
        if not self._shows_numbers():
            self._read_times()

    def shown(
        self, unread: Set[tuple[str, Given]], *, strict: bool = False
    ) -> tuple[list[Reading], list[Extent]]:
        """What it shows by places, lengths, colours, sizes and words.

        `unread` has the names, by scale, that nothing prints. `strict`: a number among words is
        shown too.
        """
        self.unread = unread
        series = (*self._series(), *self.facets)
        if self.mark.kind == "text":
            return self._printed(series, strict), []
        axes = self._value_axes()
        if self.mark.shifted:
            return [], []
        keys = _distinct(*self._places(axes), *series)
        readings: list[Reading] = []
        extents: list[Extent] = []
        for name in axes:
            if name == "theta":
                readings.append(self._angle(keys))
            elif self.roles[name] == "single":
                if not self._single_seen(name):
                    return [], []
                readings.append(self._reading(name, keys, self._single_end(name)))
            else:
                extents.append(self._extent(name, keys))
        flat = self.roles["x"] == self.roles["y"] == "single"
        places = _distinct(*self._places(() if flat else axes), *series)
        shown = self._values(axes)
        for name in ("color", "size"):
            value = self.given.get(name)
            if self._measures(name) and value not in shown:
                assert isinstance(value, float)
                readings.append(self._reading(name, places, (value, self.look(name))))
        return readings, extents

    def edge_seen(self, axis: str, end: float, across: tuple[float, float]) -> bool:
        """Whether the item owns pixels where, along the axis, it ends."""
        left, right = across
        if not np.isfinite((end, left, right)).all():
            return False
        places = [left + (right - left) * share for share in (0.5, 0.25, 0.75)]
        return any(
            self.visibility.owns(
                self.number, end if axis == "x" else place, place if axis == "x" else end
            )
            for place in places
        )

    def _printed(self, series: tuple[Key, ...], strict: bool) -> list[Reading]:
        text, value = self.element.text or "", self.given.get("text")
        names = tuple(
            self._key(name, self.given[name]) for name in AXES if self.roles[name] == "key"
        )
        keys = (*names, *series)
        if isinstance(value, str) and value not in keys:
            value = one_number(text) if strict else number(text)
        if not isinstance(value, float) or not prints(text, value):
            return []
        return [Reading(keys, value, self.channels["text"], self.element.cell, ())]

    def _reading(self, name: str, keys: tuple[Key, ...], end: End) -> Reading:
        return Reading(keys, end[0], self.channels[name], self.element.cell, (end,))

    def _angle(self, keys: tuple[Key, ...]) -> Reading:
        """A sector as its part of the circle, which is all that can be seen of its number."""
        turn = abs(self.item.get("endAngle", 0.0) - self.item.get("startAngle", 0.0))
        share, far = turn / (2 * np.pi), self.item.get("outerRadius", 0.0) * turn
        ends = ((0.0, (0.0,)), (share, (far,)))
        channel = self.channels["theta"]
        return Reading(keys, share, channel, self.element.cell, ends, length=True)

    def _extent(self, name: str, keys: tuple[Key, ...]) -> Extent:
        value = self.given[name]
        assert isinstance(value, float)
        if name == "radius":
            sides = (self.item.get("innerRadius", 0.0), self.item.get("outerRadius", 0.0))
            other = self.given.get("radius2")
            start = other if isinstance(other, float) else 0.0
            low, high = (start, (sides[0],)), (value, (sides[1],))
            across = (0.0, 0.0)
        else:
            other = self.given[f"{name}2"]
            assert isinstance(other, float)
            ends = ((value, (self._place(name),)), (other, (self._place(f"{name}2"),)))
            low, high = sorted(ends)
            across = self._sides("x" if name == "y" else "y")
        look = (self.item.get("fill"), self.item.get("stroke"), self.mark.kind)
        return Extent(keys, low, high, across, look, self, name)

    def _place(self, name: str) -> float:
        """Where a channel's value is drawn, in the picture's pixels."""
        return self.pixels[name] + (self.element.x if name[0] == "x" else self.element.y)

    def _sides(self, name: str) -> tuple[float, float]:
        """The item's two sides along x or y, in the picture's pixels."""
        start = self.element.x if name == "x" else self.element.y
        low = start + self.item.get(name, 0.0)
        if self.element.path:
            return low, low
        side = {"x": "width", "y": "height"}[name]
        if side in self.item:
            return low, low + self.item[side]
        return low, start + self.item.get(f"{name}2", low - start)

    def _single_end(self, name: str) -> End:
        value = self.given[name]
        assert isinstance(value, float)
        if name == "radius":
            return value, (self.item.get("outerRadius", 0.0),)
        return value, (self._place(name),)

    def _single_seen(self, name: str) -> bool:
        if name == "radius" or self.mark.kind in ("point", "tick"):
            return True
        return self.edge_seen(name, self._place(name), self._sides("x" if name == "y" else "y"))

    def look(self, name: str) -> tuple[float, ...]:
        if name == "size":
            return (float(self.item.get("size", 0.0)) ** 0.5,)
        color = self.item.get("fill")
        if color in (None, "transparent"):
            color = self.item.get("stroke", "#000")
        return rgb(color)

    def _role(self, name: str) -> Role:
        channel, value = self.channels.get(name), self.given.get(name)
        if channel is None or value is None:
            return "absent"
        if channel.kind != "quantitative":
            return "key"
        if name in self.mark.stacked or name in self.mark.from_zero:
            return "length"
        return "range" if isinstance(self.given.get(f"{name}2"), float) else "single"

    def _measures(self, name: str) -> bool:
        """Whether a colour or a size is a number; the members of a series may be numbered too."""
        channel = self.channels.get(name)
        number_given = isinstance(self.given.get(name), float)
        return channel is not None and channel.kind == "quantitative" and number_given

    def _shows_numbers(self) -> bool:
        return (
            self.mark.kind == "text"
            or bool(self._value_axes())
            or any(map(self._measures, ("color", "size")))
        )

    def _read_times(self) -> None:
        """Times are what the item shows, where it shows no number: as days from 1970 on."""
        for name in AXES:
            for end in (name, f"{name}2"):
                value = self.given.get(end)
                channel = self.channels.get(end)
                if isinstance(value, np.datetime64) and channel and channel.kind == "temporal":
                    self.given[end] = float((value - EPOCH) / DAY)
        for name in AXES:
            if isinstance(self.given.get(name), float) and self.roles[name] == "key":
                two = isinstance(self.given.get(f"{name}2"), float)
                self.roles[name] = "range" if two else "single"

    def _value_axes(self) -> tuple[str, ...]:
        """The axes along which the mark shows its numbers; along the others it shows where."""
        by_role = {
            role: tuple(name for name in AXES if self.roles[name] == role)
            for role in ("length", "range", "single")
        }
        if by_role["length"]:
            return by_role["length"]
        if by_role["range"]:
            binned = len(by_role["range"]) > 1 and any(map(self._measures, ("color", "size")))
            return () if binned else by_role["range"][-1:]
        if by_role["single"] == ("x", "y"):
            return ("y",)
        return by_role["single"]

    def _values(self, axes: tuple[str, ...]) -> set[float]:
        """The numbers along the axes, which a colour or a size may show once more."""
        pairs = [(self.given[name], self.given.get(f"{name}2")) for name in axes]
        numbers = {v for pair in pairs for v in pair if isinstance(v, float)}
        return numbers | {
            abs(a - b) for a, b in pairs if isinstance(a, float) and isinstance(b, float)
        }

    def _places(self, value_axes: tuple[str, ...]) -> Iterator[Key]:
        for name in AXES:
            if name in value_axes or self.roles[name] in ("absent", "length"):
                continue
            value, other = self.given[name], self.given.get(f"{name}2")
            if isinstance(value, float) and isinstance(other, float):
                yield self._key(name, (value + other) / 2)
            elif isinstance(value, np.datetime64) and isinstance(other, np.datetime64):
                yield self._key(name, min(value, other))
            else:
                yield self._key(name, value)
        for name in ("xOffset", "yOffset"):
            if isinstance(self.given.get(name), str):
                yield self._key(name, self.given[name])

    def _series(self) -> Iterator[Key]:
        for name in SERIES:
            channel, value = self.channels.get(name), self.given.get(name)
            if channel is None or channel.kind == "quantitative" or value is None:
                continue
            # A colour that nothing names says no more than its mark's place does.
            if (channel.scale, value) not in self.unread:
                yield self._key(name, value)

    def _key(self, name: str, value: Given) -> Key:
        assert value is not None
        channel = self.channels.get(name)
        if isinstance(value, np.datetime64):
            return of_time(value, channel.units if channel else frozenset())
        if channel is None:
            return value
        if (channel.scale, value) in self.unread:
            return ""
        if isinstance(value, float) and channel.kind == "quantitative":
            return self.labels.unit(channel.scale).printed(value)
        return value


def _distinct(*keys: Key) -> tuple[Key, ...]:
    return tuple(dict.fromkeys(keys))
