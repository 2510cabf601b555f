"""Months told with their year now and then: `September 2012, October, ..., January 2013`."""

from __future__ import annotations

import re

from inward_rewards.images.plain.chart import Series
from inward_rewards.images.plain.numbers import MONTHS, iso_date
from inward_rewards.images.plain.runs import is_time

_MONTH = re.compile(r"([A-Za-z]{3,9})\.?")


def with_years(series: list[Series]) -> None:
    """Gives months that follow one with a year that year, or the next once the year is over."""
    for one in series:
        labels = [o.x for o in one.observations]
        dates = [iso_date(x) if isinstance(x, str) else None for x in labels]
        months = [None if date else _month(x) for date, x in zip(dates, labels, strict=True)]
        if not dates or dates[0] is None or not any(months):
            continue
        if any(date is None and month is None for date, month in zip(dates, months, strict=True)):
            continue
        year, last = 0, 0
        for o, date, month in zip(one.observations, dates, months, strict=True):
            if date is not None:
                year, last = int(date[:4]), int(date[5:7])
            elif month is not None:
                year, last = year + (month < last), month
                o.x = f"{year:04d}-{month:02d}-01"


def _month(label: object) -> int | None:
    # `Marketing` begins like a month.
    named = isinstance(label, str) and is_time(label.capitalize())
    match = _MONTH.fullmatch(label) if named and isinstance(label, str) else None
    name = match[1][:3].lower() if match else ""
    return MONTHS.index(name) + 1 if name in MONTHS else None
