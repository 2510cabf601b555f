"""Random choices that the kinds of chart share: words, values, curves, axes, titles, sizes."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from inward_charts.figure import Axis, Figure, Layer, NumberStyle, Record
from inward_charts.layout import GLYPH
from inward_charts.style import Style, draw_style
from inward_charts.subjects import SUBJECTS, Groups, Measure, Subject

_CATEGORIES = {1: (3, 5), 2: (4, 7), 3: (6, 11)}
_SERIES = {1: (2, 2), 2: (2, 3), 3: (3, 5)}
_POINTS = {1: (6, 10), 2: (10, 20), 3: (20, 48)}
_LONG = 18
"""Characters from which a label is long: none at level 1, at least one at level 3 if there is."""

_SOURCES = (
    "Source: own survey, n = {n:,}",
    "Mean of {k} runs",
    "Provisional figures, {y}",
    "Sample of {n:,} observations",
    "{y} edition; all sites",
    "Not seasonally adjusted",
)


class Draft:
    """The random state of one chart and the choices made so far."""

    def __init__(self, rng: random.Random, level: int) -> None:
        self.rng = rng
        self.level = level
        self.subject: Subject = rng.choice(SUBJECTS)
        self.style: Style = draw_style(rng, level)

    def chance(self, *by_level: float) -> bool:
        """True with the level's probability."""
        return self.rng.random() < by_level[self.level - 1]

    def count(self, bounds: dict[int, tuple[int, int]]) -> int:
        return self.rng.randint(*bounds[self.level])

    def measure(
        self, *, additive: bool = False, other: Measure | None = None, positive: bool = False
    ) -> Measure:
        """A measure of the subject; a subject without one that fits gives way to another."""
        while True:
            fit = [
                m
                for m in self.subject.measures
                if m is not other
                and (m.additive or not additive)
                and (m.low > 0 or not (additive or positive))
            ]
            if fit:
                return self.rng.choice(fit)
            if other is not None:
                raise ValueError(f"{self.subject.name!r} needs a second measure that fits")
            self.subject = self.rng.choice(SUBJECTS)

    def categories(self, most: int = 99, *, long: bool = False) -> Groups:
        """A nominal field with as many members as the level asks for, in the subject's order.

        `long`: there is room for a label of forty characters.
        """
        field = self.rng.choice(self.subject.categories)
        return self._some(field, min(self.count(_CATEGORIES), most), 99 if long else 24)

    def series(self, most: int = 99, *, beside: str = "") -> Groups:
        """Members for a legend; a field other than the one called `beside`."""
        field = self.rng.choice([g for g in self.subject.series if g.name != beside])
        return self._some(field, min(self.count(_SERIES), most), 99)

    def _some(self, field: Groups, count: int, room: int) -> Groups:
        room = min(room, _LONG) if self.level == 1 else room
        members = [m for m in field.members if len(m) <= room]
        kept = set(self.rng.sample(members, min(count, len(members))))
        longest = max(members, key=len)
        if self.level == 3 and len(longest) >= _LONG and longest not in kept:
            kept.remove(self.rng.choice(sorted(kept)))
            kept.add(longest)
        return Groups(field.name, tuple(m for m in members if m in kept))

    def window(self, measure: Measure) -> tuple[float, float]:
        """The part of a measure's range that this chart's values fill."""
        span = measure.high - measure.low
        width = span * self.rng.uniform(0.25, 0.8)
        low = measure.low + (span - width) * self.rng.random() ** 1.5
        return low, low + width

    def values(self, measure: Measure, count: int) -> list[float]:
        """Values of separate things: scattered, ranked, or a few large ones."""
        low, high = self.window(measure)
        parts = [self.rng.random() for _ in range(count)]
        shape = self.rng.choice(("scattered", "scattered", "ranked", "few"))
        if shape == "few":
            parts = [p**2.5 for p in parts]
        if shape == "ranked":
            parts.sort(reverse=True)
        return [round(low + (high - low) * p, measure.decimals) for p in parts]

    def curve(self, measure: Measure, window: tuple[float, float], count: int) -> list[float]:
        """Values along an axis: one of a few shapes with noise, within the window."""
        low, high = window
        shape = self.rng.choice(_CURVES)
        bend, phase = self.rng.random(), self.rng.random()
        noise = self.rng.choice((0.0, 0.02, 0.05, 0.1))
        out = []
        for i in range(count):
            part = shape(i / max(1, count - 1), bend, phase) + self.rng.gauss(0, noise)
            out.append(round(low + (high - low) * min(max(part, 0.0), 1.0), measure.decimals))
        return out

    def axis(self, measure: Measure, *, zero: bool = True, name: str | None = None) -> Axis:
        """An axis for a measure, with its unit in the title or in the tick labels.

        Values on a `percent` axis are parts of 1: see `scaled`.
        """
        style: NumberStyle = "plain"
        unit = measure.unit
        if measure.style == "percent" and unit == "%" and self.rng.random() < 0.4:
            style, unit = "percent", ""
        elif measure.style == "dollars" and self.rng.random() < 0.5:
            style, unit = "dollars", unit.removeprefix("USD").strip()
        elif self.chance(0.2, 0.4, 0.6):
            style = "short"
        title = name or measure.name
        return Axis(
            f"{title} ({unit})" if unit else title,
            slug(measure.name),
            "number",
            style=style,
            zero=zero,
            count=self.rng.choice((4, 5, 6)),
        )

    def steps(self, count: int) -> tuple[Axis, list[float]]:
        """A continuous axis of the subject, and `count` evenly spaced round numbers on it."""
        title, first, last = self.rng.choice(self.subject.steps)
        stride = (last - first) / max(1, count - 1)
        decimals = 0 if stride >= 1 else 1 if stride >= 0.1 else 2
        places = [round(first + i * stride, decimals) for i in range(count)]
        return Axis(title, slug(title), "number", zero=first == 0, count=6), places

    def times(self, count: int) -> Axis:
        """Consecutive years or months as ISO dates."""
        start = self.rng.randint(1998, 2019)
        if self.rng.random() < 0.5:
            count = min(count, 26)
            days = [date(start + i, 1, 1) for i in range(count)]
            title, form = "Year", "%Y"
        else:
            month = self.rng.randrange(12)
            days = [date(start + (month + i) // 12, (month + i) % 12 + 1, 1) for i in range(count)]
            title, form = "Month", "%b %Y"
        members = tuple(d.isoformat() for d in days)
        return Axis(title, "date", "time", members=members, time_format=form)

    def along(self) -> tuple[Axis, list[str | float]]:
        """What a line runs along: numbers, dates, or categories in time's order."""
        count = self.count(_POINTS)
        sort = self.rng.random()
        if sort < 0.4:
            axis, places = self.steps(count)
            return axis, list(places)
        if sort < 0.75:
            axis = self.times(count)
            return axis, list(axis.members)
        first = self.rng.randint(1990, 2016)
        members = tuple(str(first + i) for i in range(min(count, 12)))
        return Axis("Year", "year", "category", members=members), list(members)

    def title(self, *phrases: str) -> tuple[str, ...]:
        """A title from one of the phrases, now and then with a subtitle, now and then none."""
        if self.chance(0.05, 0.12, 0.2):
            return ()
        phrase = self.rng.choice(phrases)
        title = self.rng.choice((phrase, f"{self.subject.name}: {phrase[0].lower()}{phrase[1:]}"))
        if phrase[1:2].isupper() or self.rng.random() < 0.3:
            title = phrase
        if self.chance(0.0, 0.25, 0.5):
            source = self.rng.choice(_SOURCES).format(
                n=self.rng.randint(120, 9800),
                k=self.rng.randint(3, 20),
                y=self.rng.randint(2009, 2025),
            )
            return (title, source)
        return (title,)

    def lose(self, records: list[Record]) -> tuple[Record, ...]:
        """The records with a few missing at random, at levels 2 and 3; the ends stay."""
        if len(records) < 6 or not self.chance(0.0, 0.2, 0.5):
            return tuple(records)
        gone = set(self.rng.sample(range(1, len(records) - 1), max(1, len(records) // 12)))
        return tuple(replace(r, y=None) if i in gone else r for i, r in enumerate(records))

    def figure(
        self,
        kind: str,
        x: Axis,
        y: Axis,
        *layers: Layer,
        title: tuple[str, ...] = (),
        wide: bool = False,
        **more: Any,
    ) -> Figure:
        """A figure of this draft's level, style and a random size; `more` as in `Figure`."""
        width = self.rng.choice((300, 340, 380, 420) if wide else (240, 280, 320, 360))
        height = self.rng.choice((200, 230, 260, 300))
        figure = Figure(
            kind=kind,
            level=self.level,
            title=title,
            x=x,
            y=y,
            layers=layers,
            style=self.style,
            **({"width": width, "height": height} | more),
        )
        entries = sum(len(name) + 6 for name in figure.legend)
        if entries * self.style.label_size * GLYPH > figure.width:
            return replace(figure, style=replace(self.style, legend="right"))
        return figure


def scaled(axis: Axis, value: float) -> float:
    """A measure's value as its axis counts it: per cent become parts of 1 on a `percent` axis."""
    return round(value / 100, 6) if axis.style == "percent" else value


def slug(title: str) -> str:
    """A field's name made of its title: letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")


def _saturating(t: float, bend: float, phase: float) -> float:
    return 0.08 + 0.85 * (1 - math.exp(-(2 + 5 * bend) * t))


def _decaying(t: float, bend: float, phase: float) -> float:
    return 0.06 + 0.9 * math.exp(-(2 + 5 * bend) * t)


def _straight(t: float, bend: float, phase: float) -> float:
    return (0.1 + 0.8 * t) if bend < 0.6 else (0.9 - 0.8 * t)


def _seasonal(t: float, bend: float, phase: float) -> float:
    return 0.5 + 0.4 * math.sin(2 * math.pi * ((1 + 2 * bend) * t + phase))


def _logistic(t: float, bend: float, phase: float) -> float:
    return 0.06 + 0.88 / (1 + math.exp(-(8 + 8 * bend) * (t - 0.3 - 0.4 * phase)))


def _peaked(t: float, bend: float, phase: float) -> float:
    return 0.1 + 0.82 * math.exp(-(((t - 0.25 - 0.5 * phase) / (0.12 + 0.15 * bend)) ** 2))


_CURVES: tuple[Callable[[float, float, float], float], ...] = (
    _saturating,
    _decaying,
    _straight,
    _seasonal,
    _logistic,
    _peaked,
)
