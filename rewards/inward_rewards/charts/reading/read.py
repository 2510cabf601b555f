"""From what can be seen of a chart's items to its table, texts, marks and encodings.

The rule behind it: two charts that look the same have the same table, however they were specified.
So lengths are settled by how they lie (`extents`), sectors are parts of their circle (`shares`),
and keys are what their labels say (`names`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from inward_rewards.charts.reading.alike import alike
from inward_rewards.charts.reading.extents import TOUCH, settle
from inward_rewards.charts.reading.item import PLACES, End, Extent, Item, Reading
from inward_rewards.charts.reading.labels import Labels, Unit
from inward_rewards.charts.reading.names import meaning, plain, without_year
from inward_rewards.charts.reading.plan import Plan
from inward_rewards.charts.reading.printed import prints
from inward_rewards.charts.reading.scene import Key, Row, Scene, unique_rows
from inward_rewards.charts.reading.shares import sectors
from inward_rewards.charts.reading.svg import Element
from inward_rewards.charts.reading.values import Given
from inward_rewards.charts.reading.visibility import Visibility

READABLE_SPAN = {"color": 48.0, "size": 2.0}
"""How far apart the smallest and the largest value of one scale must be drawn to be told apart:
steps of 255 between colours, pixels between diameters."""
READABLE_PIXELS = 24.0
"""The same for places and lengths; or a value must itself be as long."""
SHARP_PIXELS = 100.0
"""Values that spread over fewer pixels are not read finer than if they spread over as many."""
BASELINE_SHARE = 0.5
"""Bars of nearly equal lengths are told apart by their ends, yet read along their whole length."""
LABELLED = {"x", "y", "radius", "color", "size"}
"""Channels whose numbers an axis or a legend has to print."""
SEEN_NAMES = 0.5
"""Share of a scale's names that must be printed somewhere; labels that overlap are thinned out."""
CUT_NAME = 3
"""Least characters that are left of a name that was cut."""
CLEAR_PIXELS = 60.0
"""`READABLE_PIXELS` of a strict reading."""
CLEAR_LABELS = 2
"""Labels from which a strict reading takes the numbers of an axis or a legend."""


def read(plan: Plan, visibility: Visibility, *, strict: bool = False) -> Scene:
    """The scene of a chart, from what can be seen of it.

    `strict`: without what nobody could read off the picture alone: numbers along an axis or a
    legend without labels, or nearly on one another, and series in nearly the same colour. For
    `visibility` in the strict sense.
    """
    labelling = visibility.elements
    if strict:
        labelling = [e for n, e in enumerate(labelling, 1) if visibility.visible[n]]
    labels = Labels(labelling)
    texts: list[str] = []
    items: list[Item] = []
    marks: set[str] = set()
    encodings: set[str] = set()
    names: dict[str, set[Given]] = defaultdict(set)
    for number, element in enumerate(visibility.elements, 1):
        if not visibility.visible[number]:
            continue
        if element.text is not None:
            texts.append(element.text)
        if not element.data:
            continue
        mark = plan.marks[element.mark]
        marks.add(mark.kind)
        encodings |= {
            f"{channel.name.removesuffix('2')}:{channel.kind}" for channel in mark.channels
        }
        for drawn in _drawn(element):
            item = Item(mark, drawn, element, number, visibility, labels)
            items.append(item)
            for channel in mark.channels:
                if item.names.get(channel.name) is not None:
                    names[channel.scale].add(item.names[channel.name])
            if item.facets:
                encodings.add("facet:discrete")
                names["facet"] |= {key for key in item.facets if isinstance(key, str)}
    unread = _unread(names, texts, labels)
    if strict:
        scales = {channel.scale for item in items for channel in item.mark.channels}
        told = {scale: labels.count(scale) >= CLEAR_LABELS for scale in scales}
        items = [item for item in items if _labelled(item, told)]
        unread |= {(scale, name) for scale in labels.moved for name in names[scale]}
        unread |= alike(items)
    readings: list[Reading] = []
    extents: list[Extent] = []
    for item in items:
        found, reaching = item.shown(unread, strict=strict)
        readings += found
        extents += reaching
    lengths = list(settle(extents))
    readings = [*lengths, *_off_edges(readings, lengths)]
    as_printed = [_as_printed(reading, labels) for reading in readings]
    pixels = CLEAR_PIXELS if strict else READABLE_PIXELS
    rows = _rows(_unprinted(sectors(as_printed)), unread, texts, pixels)
    return Scene(rows, tuple(texts), tuple(sorted(marks)), tuple(sorted(encodings)))


def _labelled(item: Item, told: Mapping[str, bool]) -> bool:
    """Whether labels say what the places, colours and sizes of an item stand for; a number that is
    printed, and a sector, need none. `told`: whether they do, by scale."""
    return item.mark.kind == "text" or all(
        told[channel.scale]
        for channel in item.mark.channels
        if channel.kind != "discrete" and channel.name in LABELLED
    )


def _as_printed(reading: Reading, labels: Labels) -> Reading:
    """The number in the unit in which its axis or legend prints it."""
    unit = labels.unit(reading.channel.scale)
    if unit == Unit():
        return reading
    ends = tuple((unit.printed(value), place) for value, place in reading.ends)
    return replace(reading, value=unit.printed(reading.value), ends=ends)


def _off_edges(readings: list[Reading], lengths: list[Reading]) -> Iterator[Reading]:
    """Without the lines and points that only mark where a bar or an area of the same keys ends."""
    edges: dict[tuple[object, ...], list[float]] = defaultdict(list)
    for length in lengths:
        edges[length.channel.name, length.cell, length.keys] += [p[0] for _, p in length.ends]
    for reading in readings:
        ends = edges.get((reading.channel.name, reading.cell, reading.keys), ())
        if not any(abs(end - reading.ends[0][1][0]) <= TOUCH for end in ends):
            yield reading


def _drawn(element: Element) -> Iterator[dict[str, Any]]:
    """The items of an element that stand for something."""
    corners = _corners(element) if element.path else set()
    for place, item in enumerate(element.items):
        # A place that no scale has, as of 0 on a logarithmic one, is null.
        if item.get("defined", True) is False or None in map(item.get, PLACES & item.keys()):
            continue
        if place not in corners:
            yield item


def _corners(element: Element) -> set[int]:
    """The points of a line of steps that only turn it: the line may be given as steps as well."""
    if "interpolate" in element.items[0]:
        return set()
    places = [(_number(item.get("x")), _number(item.get("y"))) for item in element.items]
    moves = []
    for (x, y), (next_x, next_y) in pairwise(places):
        if np.isnan((x, y, next_x, next_y)).any():
            return set()
        across, up = abs(next_x - x) > 0.5, abs(next_y - y) > 0.5
        if across and up:
            return set()
        moves.append("across" if across else "up" if up else "")
    made = [move for move in moves if move]
    if set(made) != {"across", "up"}:
        return set()
    turn = (made[0], "up" if made[0] == "across" else "across")
    return {place + 1 for place, pair in enumerate(pairwise(moves)) if pair == turn}


def _number(place: float | None) -> float:
    return float("nan") if place is None else place


def _unprinted(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Without the printed numbers that say what a mark with the same keys shows."""
    found = list(readings)
    shown: dict[tuple[Key, ...], list[float]] = defaultdict(list)
    for reading in found:
        if reading.channel.name != "text":
            shown[reading.keys].append(reading.value)
    for reading in found:
        if reading.channel.name == "text" and any(
            prints(f"{reading.value:.6g}", value) for value in shown[reading.keys]
        ):
            continue
        yield reading


def _rows(
    readings: Iterable[Reading], unread: Set[tuple[str, Given]], texts: list[str], pixels: float
) -> tuple[Row, ...]:
    readings = list(readings)
    spans = _spans(readings)
    rows = [
        (
            tuple("" if ("facet", key) in unread else meaning(key) if isinstance(key, str) else key
                  for key in reading.keys),
            reading,
        )
        for reading in _readable(readings, pixels)
    ]  # fmt: skip
    times = {key for keys, _ in rows for key in keys if isinstance(key, str) and _is_time(key)}
    shorter = without_year(times, texts)
    return unique_rows(
        Row(
            tuple(dict.fromkeys(shorter.get(key, key) if isinstance(key, str) else key
                                for key in keys)),
            reading.value,
            spans.get(_scale(reading)),
            reading.channel.log,
        )
        for keys, reading in rows
    )  # fmt: skip


def _is_time(key: str) -> bool:
    if not (len(key) >= 10 and key[4] == key[7] == "-" and key[:4].isdigit()):
        return False
    try:
        date.fromisoformat(key[:10])
        np.datetime64(key, "ms")
    except ValueError:  # a name of that shape: 2024-99-99, 1001-AB-0001
        return False
    return True


def _scale(reading: Reading) -> tuple[str, str, bool]:
    """What the values of one axis have in common, over all panels that share it."""
    channel = reading.channel
    if channel.name == "text":
        return "text", "", False
    return channel.scale, "" if channel.shared else reading.cell, reading.length


def _spans(readings: list[Reading]) -> dict[tuple[str, str, bool], float]:
    """What the values of each scale span: see `Row.span`."""
    ends: dict[tuple[str, str, bool], list[End]] = defaultdict(list)
    values: dict[tuple[str, str, bool], list[float]] = defaultdict(list)
    logs = set()
    for reading in readings:
        scale = _scale(reading)
        values[scale].append(reading.value)
        ends[scale] += reading.ends or ((reading.value, ()),)
        if reading.length:
            ends[scale] += ((0.0, ()), (reading.value, ()))
        if reading.channel.log:
            logs.add(scale)
    return {
        scale: _span_of(values[scale], found, scale[2], scale in logs)
        for scale, found in ends.items()
    }


def _span_of(values: list[float], ends: list[End], length: bool, log: bool) -> float:
    """How far values spread, or half as far as they reach from their baseline where that is more.

    Values that are drawn near each other are taken to spread somewhat farther.
    """
    reach = _spread([value for value, place in ends if not (length and place)], log)
    spread = max(_spread(values, log), BASELINE_SHARE * reach)
    drawn = [place[0] for _, place in ends if len(place) == 1]
    pixels = (max(drawn) - min(drawn)) * spread / reach if drawn and reach else 0.0
    return spread * max(1.0, SHARP_PIXELS / pixels) if pixels else spread


def _spread(values: list[float], log: bool) -> float:
    if log:
        values = [math.log(value) for value in values if value > 0]
    return max(values) - min(values) if values else 0.0


def _readable(readings: list[Reading], pixels: float) -> Iterator[Reading]:
    """The readings whose values the picture tells apart from the others of their scale.

    `pixels`: `READABLE_PIXELS`, or more.
    """
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
            and (abs(reading.value) * drawn / values >= pixels)
        )
        if values == 0 or long_enough or drawn >= READABLE_SPAN.get(kind, pixels):
            yield reading


def _span(ends: list[End]) -> tuple[float, float]:
    """How far values spread, and how far apart they are drawn."""
    if not ends:
        return 0.0, 0.0
    values = [value for value, _ in ends]
    drawn = np.array([place for _, place in ends])
    return max(values) - min(values), float((drawn.max(axis=0) - drawn.min(axis=0)).max())


def _unread(
    names: dict[str, set[Given]], texts: list[str], labels: Labels
) -> set[tuple[str, Given]]:
    """The names of discrete scales that no label, legend, title or text mark prints."""
    printed = {plain(text) for text in texts}
    starts = tuple(text[:-1] for text in texts if text.endswith("…") and len(text) > CUT_NAME)
    unread: set[tuple[str, Given]] = set()
    for scale, members in names.items():
        texts_of = {name: plain(_printed(name)) for name in members}
        # What is left of a cut name tells it only if no other begins alike.
        cut = [[name for name, text in texts_of.items() if text.startswith(s)] for s in starts]
        missing = {name for name, text in texts_of.items() if text not in printed}
        missing -= {found[0] for found in cut if len(found) == 1}
        if scale not in labels:
            # A number may stand on another axis.
            missing |= {name for name in members if isinstance(name, float)}
        if len(members) - len(missing) < SEEN_NAMES * len(members):
            unread |= {(scale, name) for name in missing}
    return unread


def _printed(name: Given) -> str:
    return f"{name:.12g}" if isinstance(name, float) else str(name)
