"""What axes and legends print for the values of their scales.

The picture shows labels, not data: `1` may be printed as `Jan`, and 45 as `45%` or `$45M`. Names
are what is printed for them, and so are numbers, where all labels of a scale are its values times
one factor (or their sizes, as on the two sides of a population pyramid).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import isclose, log10

import numpy as np

from inward_rewards.charts.reading.names import DATED, MONTHS, meaning, of_time, plain
from inward_rewards.charts.reading.plan import SEPARATOR
from inward_rewards.charts.reading.printed import number, says
from inward_rewards.charts.reading.svg import Element
from inward_rewards.charts.reading.values import Given, value_of

YEAR = re.compile(r"\b[12]\d{3}\b")
MONTH = frozenset(("month",))
MONTH_NAME = re.compile("|".join(month[:3] for month in MONTHS), re.IGNORECASE)
ISO = re.compile(r"\d{4}-\d\d-\d\d")
ROUNDING = 1e-3
"""Part by which a printed number may differ from its value times the factor."""


@dataclass(frozen=True)
class Unit:
    """How a scale prints its numbers."""

    factor: float = 1.0
    unsigned: bool = False

    def printed(self, value: float) -> float:
        return self.factor * (abs(value) if self.unsigned else value)


class Labels:
    """By scale."""

    def __init__(self, elements: Iterable[Element]) -> None:
        texts: dict[str, dict[Given, str]] = defaultdict(dict)
        self.moved: set[str] = set()
        """Scales of which a label stands beside its value: it has empty lines, or is a number of
        several."""
        for element in elements:
            described = element.items[0].get("description") if not element.data else None
            if described:
                *scales, value = described.split(SEPARATOR)
                text = element.items[0].get("text", "")
                lines = [str(line) for line in text] if isinstance(text, list) else [str(text)]
                said = value_of(value)[0]
                for scale in scales:
                    texts[scale][said] = " ".join(lines)
                    if len(lines) > 1 and (isinstance(said, float) or not all(map(plain, lines))):
                        self.moved.add(scale)
        # Where two values are printed alike, their places tell them apart and their names do not.
        self._names = {
            scale: names for scale, names in texts.items() if len(set(names.values())) == len(names)
        }
        self._units = {scale: _unit(names) for scale, names in texts.items()}
        self._texts = texts

    def __contains__(self, scale: str) -> bool:
        return scale in self._units

    def count(self, scale: str) -> int:
        """How many values of a scale are printed; 0 where a label denies its value."""
        names = self._texts.get(scale, {})
        if scale in self.moved or _lie(names, self.unit(scale)):
            return 0
        return len({text for text in names.values() if text.strip()})

    def name(self, scale: str, value: Given) -> Given:
        """A name or a time as it is printed; a number that is printed as it is stays one."""
        text = self._names.get(scale, {}).get(value)
        if text is None or (isinstance(value, float) and number(text) == value):
            return value
        return text

    def unit(self, scale: str) -> Unit:
        return self._units.get(scale, Unit())


def _lie(labels: dict[Given, str], unit: Unit) -> bool:
    """Whether a label is not the one number of its value, or is another time than it."""
    for value, text in labels.items():
        if isinstance(value, float):
            if text.strip() and not says(text, unit.printed(value)):
                return True
        elif isinstance(value, np.datetime64) and _misdates(text, value):
            return True
    return False


def _misdates(text: str, value: np.datetime64) -> bool:
    """Whether a label is another year, month, day of a month or day of the week than the time."""
    day, said, years = str(value)[:10], str(meaning(text)), YEAR.findall(text)
    if years and day[:4] not in years:
        return True
    if ISO.fullmatch(said):
        # Which is the month of 03/04/2021 is not told, nor where a quarter's label stands.
        ordered = MONTH_NAME.search(text) or (text[:4] in years and "Q" not in text)
        # Years of two digits have no century; a month's name stands for its first day too.
        same = said[2:] == day[2:] or (said[8:] == "01" and said[2:7] == day[2:7])
        return bool(ordered) and not same
    short = f"{of_time(value, MONTH)} {int(day[2:4])}"  # Mar 21, for 2021
    return any(
        shape.fullmatch(said) and said not in (of_time(value, units), short)
        for units, shape in DATED
    )


def _unit(labels: dict[Given, str]) -> Unit:
    numbers = [(value, number(text)) for value, text in labels.items() if isinstance(value, float)]
    pairs = [(value, printed) for value, printed in numbers if value and printed]
    if len(pairs) < 2 or any(printed is None for _, printed in numbers):
        return Unit()
    ratios = [printed / value for value, printed in pairs]
    sizes = [abs(ratio) for ratio in ratios]
    if not all(isclose(size, sizes[0], rel_tol=ROUNDING) for size in sizes):
        return Unit()
    power = 10.0 ** round(log10(sizes[0]))
    factor = power if isclose(power, sizes[0], rel_tol=ROUNDING) else sizes[0]
    if len({ratio > 0 for ratio in ratios}) == 1:
        return Unit(factor if ratios[0] > 0 else -factor)
    positive = all(printed > 0 for _, printed in pairs)
    return Unit(factor, unsigned=True) if positive else Unit()
