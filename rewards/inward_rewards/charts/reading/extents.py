"""What bars, areas and spans show, judged by how they lie and not by how they were specified.

One picture can be written as a stack, as ranges that were added up beforehand, or as long bars
behind shorter ones. So extents at one place are settled together:

- what an opaque bar hides of a longer one behind it is no part of the longer one;
- neighbours of one look and one name are one bar;
- extents that touch end to end are parts of a stack, each worth its length, downwards from zero
  less than nothing (but not where the stacks lie across zero, as centred ones do);
- an extent from zero, or from where all others of its mark begin, is worth its other end;
- any other is worth its two ends.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from inward_rewards.charts.reading.item import End, Extent, Reading
from inward_rewards.charts.reading.plan import Channel

TOUCH = 1.0
"""Pixels between two ends that touch."""
ROUNDING = 1e-6
"""The part of an extent by which its start may be beside zero."""
SUM_DIGITS = 12
"""Significant digits of a stack's ends."""


def settle(extents: Sequence[Extent]) -> Iterator[Reading]:
    """The numbers that extents show, of those whose ends can be seen."""
    solid: dict[object, list[Extent]] = defaultdict(list)
    rest: list[Extent] = []
    for extent in extents:
        if extent.solid and extent.axis in ("x", "y") and _scale(extent).kind == "quantitative":
            sides = tuple(round(side) for side in extent.across)
            solid[_scale(extent).scale, extent.item.element.cell, extent.axis, sides].append(extent)
        else:
            rest.append(extent)
    runs = [run for place in solid.values() for run in _runs(_merged(_uncovered(place)))]
    runs += [[extent] for extent in rest]
    across_zero = {_group(e) for run in runs if len(run) > 1 for e in run if _crosses_zero(e)}
    starts = _common_starts(runs)
    for run in runs:
        for extent in run:
            centred = extent.solid and _group(extent) in across_zero
            if len(run) > 1 or centred:
                yield from _part(extent, signed=not centred)
            elif _is_zero(extent.low, extent) or _is_zero(extent.high, extent):
                yield from _from_zero(extent)
            elif _mark(extent) in starts:
                yield from _numbers(extent, extent.high)
            else:
                yield from _numbers(extent, extent.low, extent.high)


def _scale(extent: Extent) -> Channel:
    return extent.item.channels[extent.axis]


def _group(extent: Extent) -> tuple[str, str, str]:
    return _scale(extent).scale, extent.item.element.cell, extent.axis


def _mark(extent: Extent) -> tuple[str, str, str]:
    return extent.item.element.mark, extent.item.element.cell, extent.axis


def _uncovered(place: list[Extent]) -> list[Extent]:
    """Extents in painting order, less what shorter ones before them hide of the end they share."""
    shown = []
    for number, extent in enumerate(place):
        low, high = extent.low, extent.high
        for front in place[number + 1 :]:
            if not front.hides or _length(front) >= _length(extent):
                continue
            if _touch(front.low, extent.low) and front.high[0] > low[0]:
                low = front.high
            elif _touch(front.high, extent.high) and front.low[0] < high[0]:
                high = front.low
        # An outline that comes down to its baseline shows nothing, and shows it.
        nothing = extent.item.element.path and _length(extent) == 0
        if low[0] < high[0] or nothing:
            shown.append(extent.part(low=low, high=high))
    return shown


def _merged(place: list[Extent]) -> list[Extent]:
    """Neighbours of one look, without an outline to part them, joined; repeats left out."""
    joined: list[Extent] = []
    for extent in sorted(dict.fromkeys(place), key=lambda e: (e.low[0], e.high[0])):
        last = joined[-1] if joined else None
        if last and _alike(last, extent) and _touch(last.high, extent.low):
            others = (*last.others, extent.item)
            joined[-1] = last.part(high=extent.high, others=others)
        elif not (last and _alike(last, extent) and _same_ends(last, extent)):
            joined.append(extent)
    return joined


def _alike(one: Extent, other: Extent) -> bool:
    same = one.keys == other.keys and one.look == other.look
    return same and one.look[1] in (None, "transparent", one.look[0])


def _same_ends(one: Extent, other: Extent) -> bool:
    return _touch(one.low, other.low) and _touch(one.high, other.high)


def _runs(place: list[Extent]) -> Iterator[list[Extent]]:
    """Extents by value, in runs that touch end to end. Those that overlap stand alone."""
    run: list[Extent] = []
    for extent in place:
        if run and not _touch(run[-1].high, extent.low):
            yield run
            run = []
        run.append(extent)
    if run:
        yield run


def _common_starts(runs: Iterable[list[Extent]]) -> set[tuple[str, str, str]]:
    """The marks whose single extents, more than one, all begin at the same value."""
    lows: dict[tuple[str, str, str], list[Extent]] = defaultdict(list)
    for run in runs:
        if len(run) == 1 and run[0].solid:
            lows[_mark(run[0])].append(run[0])
    return {
        mark
        for mark, found in lows.items()
        if len({extent.across for extent in found}) > 1
        and all(_touch(found[0].low, extent.low) for extent in found)
    }


def _part(extent: Extent, *, signed: bool) -> Iterator[Reading]:
    length = _difference(extent.high[0], extent.low[0])
    below = signed and extent.high[0] <= _tolerance(extent)
    ends = (extent.high,) if extent.item.element.path else (extent.low, extent.high)
    if below and extent.item.element.path:
        ends = (extent.low,)
    if extent.seen(*ends):
        yield _reading(extent, -length if below else length, length=True)


def _from_zero(extent: Extent) -> Iterator[Reading]:
    far = extent.low if _is_zero(extent.high, extent) else extent.high
    both = (extent.low, extent.high)
    if extent.seen(*((far,) if extent.item.element.path else both)):
        yield _reading(extent, far[0])


def _numbers(extent: Extent, *ends: End) -> Iterator[Reading]:
    if extent.seen(extent.low, extent.high):
        for value, _ in ends:
            yield _reading(extent, value)


def _reading(extent: Extent, value: float, *, length: bool = False) -> Reading:
    ends = (extent.low, extent.high)
    cell = extent.item.element.cell
    return Reading(extent.keys, value, _scale(extent), cell, ends, length=length)


def _length(extent: Extent) -> float:
    return extent.high[0] - extent.low[0]


def _tolerance(extent: Extent) -> float:
    """A pixel, in the axis's units."""
    pixels = abs(extent.high[1][0] - extent.low[1][0])
    return TOUCH * _length(extent) / pixels if pixels > 0 else 0.0


def _is_zero(end: End, extent: Extent) -> bool:
    return _scale(extent).kind == "quantitative" and abs(end[0]) <= ROUNDING * _length(extent)


def _crosses_zero(extent: Extent) -> bool:
    slack = _tolerance(extent)
    return extent.low[0] < -slack and extent.high[0] > slack


def _touch(one: End, other: End) -> bool:
    return abs(one[1][0] - other[1][0]) <= TOUCH


def _difference(end: float, start: float) -> float:
    """The length between two sums, without what adding up left of rounding: 26.42, not 26.4199…

    A printed value is the same number then, and no second row.
    """
    largest = max(abs(end), abs(start))
    return round(end - start, SUM_DIGITS - math.ceil(math.log10(largest))) if largest else 0.0
