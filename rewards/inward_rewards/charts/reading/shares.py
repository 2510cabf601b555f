"""Sectors of circles: what they show is their part of the whole, whatever it is counted in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from statistics import median

from inward_rewards.charts.reading.item import Reading
from inward_rewards.charts.reading.scene import Key

NEAR = 0.02
"""Of the circle: how far a printed number may be from its sector's part of the printed whole."""

Sector = tuple[str, tuple[Key, ...]]


def sectors(readings: Iterable[Reading]) -> Iterator[Reading]:
    """The readings with equal sectors added up, and without the numbers that are printed at them.

    45, 45% and 450 of 1000 at a sector say what its angle says; a number that the angle denies is
    a number of its own.
    """
    angles: dict[str, dict[Sector, Reading]] = defaultdict(dict)
    printed: dict[Sector, Reading] = {}
    for reading in readings:
        sector = (reading.cell, reading.keys)
        if reading.channel.name == "theta":
            circle = angles[reading.channel.scale]
            circle[sector] = _added(circle[sector], reading) if sector in circle else reading
        elif reading.channel.name == "text":
            printed[sector] = reading
        else:
            yield reading
    for circle in angles.values():
        yield from circle.values()
        printed = {s: number for s, number in printed.items() if s not in _stated(circle, printed)}
    yield from printed.values()


def _added(one: Reading, other: Reading) -> Reading:
    return replace(one, value=one.value + other.value, ends=one.ends + other.ends)


def _stated(circle: dict[Sector, Reading], printed: dict[Sector, Reading]) -> set[Sector]:
    """The sectors at which their part is printed, if it is at all of those with a number."""
    pairs = {
        sector: (reading.value, printed[sector].value)
        for sector, reading in circle.items()
        if sector in printed and reading.value > 0
    }
    if not pairs:
        return set()
    whole = median(number / share for share, number in pairs.values())
    near = whole > 0 and all(abs(n / whole - share) <= NEAR for share, n in pairs.values())
    return set(pairs) if near else set()
