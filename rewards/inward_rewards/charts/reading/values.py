"""The values that `plan.instrument` made the drawn items carry."""

from __future__ import annotations

import numpy as np

from inward_rewards.charts.reading.plan import PLACE, SEPARATOR, Kind

Given = str | float | np.datetime64 | None
"""A value of the data: a name, a number, a time, or nothing."""
FIRST_DAY, LAST_DAY = -62_135_596_800_000, 253_402_300_800_000
"""In milliseconds from 1970: what a calendar of four digits has."""


def given(description: str) -> list[tuple[Given, float]]:
    """The values that `plan.instrument` wrote into a description, and where they are drawn."""
    return [value_of(part) for part in description.split(SEPARATOR)] if description else []


def value_of(part: str) -> tuple[Given, float]:
    tag, text = part[:1], part[1:]
    if tag == "s":
        return text, float("nan")
    text, _, place = text.partition(PLACE)
    pixel = float(place) if place not in ("", "null", "undefined") else float("nan")
    if tag == "d":
        found = float(text)
        return (found if np.isfinite(found) else None), pixel
    if tag == "t":
        return _time(float(text)), pixel
    return None, pixel


def _time(milliseconds: float) -> np.datetime64 | None:
    """None for what is no day of the years 1 to 9999, such as an invalid date."""
    if not FIRST_DAY <= milliseconds < LAST_DAY:
        return None
    return np.datetime64(int(milliseconds), "ms")


def of_kind(kind: Kind, value: Given) -> Given:
    """The value as its scale takes it: milliseconds are a time, digits may be a number."""
    if kind == "temporal" and isinstance(value, float):
        return _time(value)
    if kind != "quantitative" or not isinstance(value, str):
        return value
    try:
        found = float(value)
    except ValueError:
        return value
    return found if np.isfinite(found) else None
