"""The values that `plan.instrument` made the drawn items carry."""

from __future__ import annotations

import numpy as np

from inward_rewards.charts.reading.plan import PLACE, SEPARATOR, Kind

Given = str | float | np.datetime64 | None
"""A value of the data: a name, a number, a time, or nothing."""


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
        return np.datetime64(int(float(text)), "ms"), pixel
    return None, pixel


def of_kind(kind: Kind, value: Given) -> Given:
    """The value as its scale takes it: milliseconds are a time, digits may be a number."""
    if kind == "temporal" and isinstance(value, float):
        return np.datetime64(int(value), "ms")
    if kind != "quantitative" or not isinstance(value, str):
        return value
    try:
        found = float(value)
    except ValueError:
        return value
    return found if np.isfinite(found) else None
