"""The chart once all is read: places are numbers, dates or names."""

from __future__ import annotations

import re
from dataclasses import replace

from inward_rewards.images.plain.chart import Note, Observation, PlainChart, Series
from inward_rewards.images.plain.numbers import iso_date, number, plain_number
from inward_rewards.images.plain.years import with_years


def finished(chart: PlainChart) -> PlainChart:
    """The chart once all is read: places are numbers, dates or names, scales of words are one."""
    if chart.horizontal:
        # In words, x is the axis that lies, along which horizontal bars are measured.
        chart.x, chart.y = chart.y, chart.x
    for series in chart.series:
        own = chart.kinds.get(series.name.lower())
        if own is not None and series.kind is None and series.name:
            series.kind = own
        series.right = series.right or series.name.lower() in chart.right_names
    if chart.kind is None and chart.series:
        kinds = [series.kind for series in chart.series if series.kind]
        if not kinds:
            # Numbers in a text that names no kind of chart are no chart.
            chart.series = []
            return chart
        chart.kind = kinds[0]
    with_years(chart.series)
    seen = [o for series in chart.series for o in series.observations]
    in_units = _in_units(chart, seen)
    if not in_units:
        chart.notes = [replace(note, y=note.y * note.scale) for note in chart.notes]
    if any(o.scale != 1.0 for o in seen) and all(map(_in_full, seen)) and not in_units:
        for o in seen:
            _times(o, o.scale)
        chart.y.low, chart.y.high = (
            None if end is None else end * chart.y.unit for end in (chart.y.low, chart.y.high)
        )
    _unshortened(chart, seen)
    if _all_percent(chart, seen):
        chart.y.percent = True
    if chart.horizontal:
        # The axis of numbers lies: a line at one of them goes up.
        chart.notes = [
            replace(n, sort="moment", x=n.y) if n.sort == "level" else n for n in chart.notes
        ]
    if chart.y.percent:
        chart.notes = [_part(n, chart) if n.percent else n for n in chart.notes]
    for series in chart.series:
        axis = chart.right if series.right else chart.scale if chart.kind == "cell" else chart.y
        if axis.percent:
            for o in series.observations:
                _as_parts(o)
        series.observations = _placed(series, chart)
    _without_foreign_ends(chart)
    return chart


def _part(note: Note, chart: PlainChart) -> Note:
    """A remark at numbers of an axis in per cent, which are parts of one."""
    if not chart.horizontal or note.sort == "words":
        return replace(note, y=round(note.y / 100, 12))
    x, x2 = (p if isinstance(p, str) else round(p / 100, 12) for p in (note.x, note.x2))
    return replace(note, x=x, x2=x2)


def _without_foreign_ends(chart: PlainChart) -> None:
    """Ends of the axis of x between which nothing lies were told of another axis."""
    places = [o.x for series in chart.series for o in series.observations]
    low, high = chart.x.low, chart.x.high
    if low is None or high is None or chart.x.percent or not places:
        return
    if not any(isinstance(x, str) or (x is not None and low <= x <= high) for x in places):
        chart.x.low = chart.x.high = None


def _in_units(chart: PlainChart, seen: list[Observation]) -> bool:
    """Whether the axis counts in the thousands or millions that its numbers were written with."""
    if chart.in_units or re.search(
        r"thousand|million|billion|trillion", f"{chart.y.title} {chart.right.title}", re.I
    ):
        return True
    high = chart.y.high
    values = [(o.y, o.y * o.scale) for o in seen if o.y is not None]
    if high is None or chart.y.unit != 1.0 or not values:
        return False
    return max(short for short, _ in values) <= 1.2 * high < max(full for _, full in values)


def _in_full(o: Observation) -> bool:
    """Whether a number was written with its unit, or so large that it needs none."""
    return o.scale != 1.0 or o.y is None or not 0 < abs(o.y) < 1000


def _times(o: Observation, factor: float) -> None:
    o.y, o.low, o.high = (
        None if value is None else value * factor for value in (o.y, o.low, o.high)
    )


def _unshortened(chart: PlainChart, seen: list[Observation]) -> None:
    """`75M` on an axis from 0 to 250, in millions."""
    values = [abs(o.y) for o in seen if o.y is not None]
    high = chart.y.high
    if not values or not all(o.short for o in seen) or high is None or max(values) < 20 * high:
        return
    for o in seen:
        o.y, o.low, o.high = (
            None if value is None else value / o.short for value in (o.y, o.low, o.high)
        )


def _all_percent(chart: PlainChart, seen: list[Observation]) -> bool:
    """Whether all numbers are written with % and nothing else is said of their axis."""
    axis = chart.y
    if chart.kind in ("arc", "cell") or axis.ticks or axis.high is not None:
        return False
    return bool(seen) and all(o.percent for o in seen) and not re.search("%|percent", axis.title)


def _as_parts(o: Observation) -> None:
    """Numbers written with % on an axis labelled in %: parts of 1."""
    if not o.percent:
        return
    o.y, o.low, o.high = (
        None if value is None else round(value / 100, 12) for value in (o.y, o.low, o.high)
    )
    o.box = tuple(round(value / 100, 12) for value in o.box)
    o.outliers = tuple(round(value / 100, 12) for value in o.outliers)


def _placed(series: Series, chart: PlainChart) -> list[Observation]:
    kind = series.kind or chart.kind
    observations = series.observations
    labels = [o.x for o in observations if isinstance(o.x, str)]
    if chart.strip or (chart.kinds and "bar" in chart.kinds.values()):
        # Beside bars, places are their categories.
        return observations
    if kind in ("arc", "rule", "box", "cell") or not labels or (chart.histogram and kind == "bar"):
        return [_bin(o) for o in observations] if chart.histogram else observations
    if len(labels) < len(observations):
        return observations
    dates = [iso_date(label) for label in labels]
    if all(dates):
        return [replace(o, x=day) for o, day in zip(observations, dates, strict=True)]
    named = kind == "bar" or (kind == "point" and chart.horizontal)
    if named or (
        any(label in chart.x.members for label in labels if not chart.x.ticks) and kind != "line"
    ):
        return observations
    if chart.x.members and chart.kind == "bar":
        return observations
    if chart.x.members and any(s.kind == "bar" for s in chart.series):
        return observations
    values = [plain_number(label) for label in labels]
    if None in values:
        values = _numbered(labels)
    if None in values or len(set(values)) < len(values):
        return observations
    listed_years = chart.x.members and set(labels) <= set(chart.x.members)
    if listed_years and not chart.x.ticks:
        return observations
    return [replace(o, x=value) for o, value in zip(observations, values, strict=True)]


def _numbered(labels: list[str]) -> list[float | None]:
    """`hour 0`, `hour 6`: numbers, where all labels have the same words before one."""
    parts = [
        re.fullmatch(r"(\D*?)\s*(-?\d{1,30}(?:\.\d{1,30})?)", label.lower()) for label in labels
    ]
    words = {part[1] for part in parts if part}
    return [float(part[2]) if part and len(words) == 1 else None for part in parts]


def _bin(o: Observation) -> Observation:
    if not isinstance(o.x, str):
        return o
    match = re.fullmatch(
        r"(?:[A-Za-z ]+ )?(-?[−\d.,]+%?)\s*(?:-|–|—|to)\s*(-?[−\d.,]+%?)", o.x.strip()
    )
    ends = [number(end) for end in match.groups()] if match else []
    if len(ends) == 2 and ends[0] and ends[1]:
        return replace(o, x=ends[0].value, x2=ends[1].value)
    return o
