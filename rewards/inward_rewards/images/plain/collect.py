"""Numbers put into the series of a chart."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

from inward_rewards.images.plain.boxes import box_of, boxes_of
from inward_rewards.images.plain.chart import Kind, Number, Observation, Series
from inward_rewards.images.plain.comparisons import SUMMED, TOTAL, levels
from inward_rewards.images.plain.facts import Fact, facts, listed
from inward_rewards.images.plain.grouped import by_count, by_group, counted
from inward_rewards.images.plain.legends import variant
from inward_rewards.images.plain.numbers import (
    COLOR,
    NUMBER,
    NUMBERS,
    color,
    iso_date,
    number,
    plain_number,
)
from inward_rewards.images.plain.phrases import binned, paired
from inward_rewards.images.plain.runs import runs
from inward_rewards.images.plain.state import State, same_name
from inward_rewards.images.plain.text import NAME
from inward_rewards.images.plain.zipping import zipped

MAX_OBSERVATIONS = 900
"""What a drawing may hold; more are not read."""
_THE_BARS = re.compile(
    r"\b(?:bars|columns|slices|categories|segments|lines|rows|items|groups)\b["
    r"^.;:]{0,30}?(?:\bare\b|:)\s*(?P<names>[^;:]+)(?:;|$)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    rf"({NUMBER})[^\d,]{{0,40}}?\b(?:between|from)\s+({NUMBER})\s+(?:and|to)\s+({NUMBER})"
)
_SLASHED = re.compile(r"(?<![\w/.,-])(-?\d[\d.]{0,20})/(-?\d[\d.]{0,20})(?![\w/])")
"""Points as `4/22`."""
_CROSSED = re.compile(
    r"^\(?([^\s(),/×→-][^,/×→()-]{0,40}?)\s*(?:-|–|—|/|×|→|->|,| x | vs\.? | and | at | to )\s*"
    r"([^\s(),/×→>-][^,/×→()]{0,40}?)\)?$"
)
_WITH_NUMBERS = re.compile(r"\d")
_WHEN = re.compile(
    r"\b(?:in|by|after|since|before|until|around|during|from|to|between|through|of"
    r"|[Cc]ompared with|[Rr]elative to|than) "
    r"(?:the )?(?:years? )?(?:1[5-9]|20|21)\d\d\b(?:s\b)?(?!,\d|\.\d| ?[%:=–-])"
)
"""A sentence whose only numbers are such tells none."""
_YEARS = re.compile(
    r"\b(?:between|from|over|during|for|in)\s+(?:the )?(?:years? |period )?(?:1[5-9]|20|21)\d\d"
    r"\s*(?:to|and|until|through|–|-)\s*(?:1[5-9]|20|21)\d\d\b(?! ?[%:=])"
    r"|\b(?:for|in|of) (?:the )?(?:years? )?(?:(?:19|20)\d\d,? ){1,30}and (?:19"
    r"|20)\d\d\b(?! ?[%:=])"
    r"|(?<=[a-z] )(?:in|for|during) (?:19|20)\d\d(?=(?: \([^()\d]{1,30}\))?:)"
)
"""What a chart spans: no number of it."""
_POWER_UNIT = re.compile(r" \((?:in )?10\^[^(),]{1,24}\)")
_COLORED = re.compile(
    rf"\b(?:1[5-9]|20)\d\d(?: in| is| are|:| =) (?:a |the )?(?:{COLOR.pattern})", re.IGNORECASE
)
_CLAUSES = re.compile(r"[,;]? (?:whereas|while|but)\b|;")
_PRONOUN = re.compile(r"^(?:and |then |after that,? )?(?:it|they|this)\b", re.IGNORECASE)


def told(state: State, text: str, *, along: bool = True) -> list[Fact]:
    """What `text` says of numbers, in order."""
    chart = state.chart
    text = levels(text)
    if chart.kind == "point" and len(_SLASHED.findall(text)) >= 2:
        text = _SLASHED.sub(r"(\1, \2)", text)
    if chart.histogram:
        text = binned(_BETWEEN.sub(r" \2-\3: \1 ", text))
    if chart.kind in (None, "box"):
        if boxes := boxes_of(text):
            return boxes
        if whole := box_of(text):
            return [whole]
    return (_runs(state, text) if along else []) or facts(_YEARS.sub(" ", text))


def _runs(state: State, text: str) -> list[Fact]:
    """Numbers along places, where the kind of chart has such."""
    chart = state.chart
    if chart.kind not in (None, "line", "step", "area", "bar") or chart.histogram:
        return []
    found = runs(text, chart.x.members, [*state.names(), *chart.kinds])
    if state.subject and _PRONOUN.match(text):
        return [fact if fact.subject else replace(fact, subject=state.subject) for fact in found]
    return found


def data(state: State, text: str, head: str) -> bool:
    """What a sentence says of numbers; whether there was anything."""
    text = levels(text)
    if SUMMED.search(text) or (state.chart.stack and state.chart.observed and TOTAL.match(text)):
        return False
    text = _POWER_UNIT.sub(" ", text)
    if (colored := _COLORED.findall(text)) and len(colored) == len(NUMBERS.findall(text)):
        return False  # `2019 in dark blue, 2021 in yellow`
    if state.talk is not None or not _WITH_NUMBERS.search(_WHEN.sub(" ", _YEARS.sub(" ", text))):
        return False
    if "respectively" in text and len(parts := _CLAUSES.split(text)) > 1 and not zipped(text):
        said = [data(state, part, head) for part in parts[:20] if part.strip()]
        return any(said)
    for part in re.split(r";(?=[^;]*\b(?:lengths?|values?|heights?)\b)", text):
        if (the := _THE_BARS.search(part)) and not NUMBERS.search(the["names"]):
            names(state, part)
    if state.chart.kind == "point":
        text = paired(text)
    if found := zipped(text):
        return add(state, found, head, None)
    if found := _runs(state, text):
        return add(state, found, head, None)
    cells = by_count(text)
    if cells or (state.chart.stack and (cells := counted(text) or by_group(text, state.names()))):
        for name, place, fact in cells:
            observe(state, series_of(state, state.unquote(name), None), state.unquote(place), fact)
        return True
    return add(state, told(state, text, along=False), head, None)


def zip_values(state: State, values: list[Number], head: str) -> bool:
    """Numbers without names: one for each category that is listed, or each name before them."""
    last = [str(o.x) for series in state.chart.series[-1:] for o in series.observations]
    # `in the same order` as in the series before.
    known = [state.pending, state.chart.x.members, state.chart.y.members, *([last] if head else [])]
    if state.chart.kind == "cell":
        known = [state.chart.x.members, *known]
    for names in known:
        if len(names) == len(values) >= 2:
            return add(
                state,
                [Fact(name, value) for name, value in zip(names, values, strict=True)],
                head,
                None,
            )
    return False


def _labels(values: list[Number]) -> bool:
    """Whether numbers without names are those at which an axis is labelled: 0, 5, 10."""
    steps = {round(b.value - a.value, 9) for a, b in itertools.pairwise(values)}
    return len(values) >= 3 and values[0].value == 0 and len(steps) == 1


def take_values(state: State) -> None:
    """Numbers that stood where the axis of y was described belong to the places of x."""
    values = [found for name in state.chart.y.members if (found := number(name))]
    if _labels(values):
        state.chart.y.ticks, state.chart.y.members = values, []
    elif len(values) >= 2 and zip_values(state, values, ""):
        state.chart.y.members = []


def names(state: State, text: str) -> bool:
    """`The bars are Plaza, Astoria and Park`: names whose numbers follow."""
    match = _THE_BARS.search(text)
    if match is None:
        return False
    found = [state.unquote(name) for name in listed(match["names"])]
    if len(found) < 2 or any(len(name) > 60 for name in found):
        return False
    state.pending = found
    return True


def series_of(state: State, name: str, kind: Kind | None, notes: str = "") -> Series:
    name = same_name(name, state.names())
    key = (state.panel, f"{name}/{kind or ''}".lower())
    if key not in state.by_head:
        state.by_head[key] = Series(name, kind, state.panel)
        state.chart.series.append(state.by_head[key])
    series = state.by_head[key]
    series.right = series.right or "right axis" in notes
    series.dots = series.dots or "with dots" in notes
    if (
        name
        and (shade := color(re.sub(NAME, "", notes)))
        and name.lower() not in state.chart.colors
    ):
        state.chart.colors[name.lower()] = shade
    if name and notes:
        variant(state.chart, name, notes)
    return series


def add(state: State, found: list[Fact], head: str, kind: Kind | None, notes: str = "") -> bool:
    """Puts facts into the chart; whether any of them says something."""
    if state.chart.kind == "box" and head and (five := _five(found)):
        observe(state, series_of(state, "", None), head, five)
        return True
    if state.chart.strip and head and not any(fact.label or fact.more for fact in found):
        return _samples(state, found, head)
    bare = [fact.value for fact in found if fact.label is None and fact.value and not fact.more]
    if len(bare) >= 2 and len(bare) >= len(found) - 1 and found[0].interval is None:
        values = [fact.value for fact in found if fact.value]
        if _labels(values):
            return False
        if zip_values(state, values, head) or (
            len(values) > len(bare) and zip_values(state, bare, head)
        ):
            return True
    if state.chart.kind == "point" and not any(fact.more for fact in found):
        return add_pairs(state, found, head)
    if state.chart.kind == "cell" and not head and (cells := _cells(found)):
        for row, place, fact in cells[: max(0, MAX_OBSERVATIONS - state.chart.observed)]:
            observe(state, series_of(state, state.unquote(row), None), state.unquote(place), fact)
        return True
    if not head and any(fact.subject for fact in found) and _by_subject(state):
        said = False
        for subject, own in itertools.groupby(found, lambda fact: fact.subject):
            said = _add(state, list(own), _subject_name(state, subject), kind, notes) or said
        return said
    return _add(state, found, head, kind, notes)


def _five(found: list[Fact]) -> Fact | None:
    """The box of five bare numbers that rise, as `12, 18, 22, 27, 40`."""
    values = [fact.value.value for fact in found if fact.value and fact.label is None]
    if len(values) != 5 or len(found) != 5 or values != sorted(values):
        return None
    return Fact(None, None, box=tuple(values), percent=found[0].value.percent)  # type: ignore[union-attr]


def _samples(state: State, found: list[Fact], place: str) -> bool:
    """All numbers of a strip plot's category."""
    room = max(0, MAX_OBSERVATIONS - state.chart.observed)
    series_of(state, "", None).observations += [
        Observation(place, fact.value.value, percent=fact.value.percent)
        for fact in found[:room]
        if fact.value is not None
    ]
    return bool(found)


def _cells(found: list[Fact]) -> list[tuple[str, str, Fact]]:
    """`cat-dog 0.3, cat/owl 0.1`: row, column and number of each; empty where one is no pair."""
    pairs = [_CROSSED.match(fact.label or "") for fact in found]
    if len(pairs) < 2 or not all(pairs):
        return []
    return [(p[1], p[2], fact) for p, fact in zip(pairs, found, strict=True) if p]


def _by_subject(state: State) -> bool:
    """Whether the subject of a sentence may be the name of a series."""
    chart = state.chart
    return chart.kind in (None, "line", "step", "area") or bool(chart.stack or chart.kinds)


def _subject_name(state: State, subject: str) -> str:
    name = same_name(state.unquote(subject), state.names())
    if name:
        state.subjects.add(name)
        state.subject = name
    return name


def _add(state: State, found: list[Fact], head: str, kind: Kind | None, notes: str) -> bool:
    said = False
    room = MAX_OBSERVATIONS - state.chart.observed
    for fact in found[: max(0, room)]:
        if fact.label is None and not (fact.box and head):
            continue
        if state.chart.kind == "box" and not fact.box:
            continue
        label = state.unquote(fact.label) if fact.label is not None else head
        kind_here, name = kind, head
        if (
            kind is None
            and fact.interval
            and fact.value is None
            and fact.label is not None
            and not fact.box
        ):
            kind_here = "band"
        observe(state, series_of(state, name, kind_here, notes), label, fact)
        said = True
    return said


def add_pairs(state: State, found: list[Fact], head: str) -> bool:
    """`12 and 20, 18 and 45` in a scatter plot; names with a number in a dot plot."""
    if found and all(fact.label is None or plain_number(fact.label) is not None for fact in found):
        room = max(0, MAX_OBSERVATIONS - state.chart.observed)
        flat = [
            n
            for fact in found[:room]
            for n in ((number(fact.label) if fact.label else None), fact.value)
            if n
        ]
        if len(flat) % 2 or len(flat) < 2:
            return False
        series = series_of(state, head, None)
        series.observations += [
            Observation(a.value, b.value, percent=b.percent)
            for a, b in zip(flat[::2], flat[1::2], strict=True)
        ]
        return True
    named = [fact for fact in found if fact.label]
    series = series_of(state, head, None)
    for fact in named[: MAX_OBSERVATIONS - state.chart.observed]:
        observe(state, series, state.unquote(str(fact.label)), fact)
    return bool(named)


def observe(state: State, series: Series, label: str, fact: Fact) -> None:
    value = fact.value
    if fact.more:
        x: str | float = iso_date(label) or _x_number(state, label)
        size = fact.more[0].value
        place = Observation(x, None if value is None else value.value, size=size)
        place.percent = bool(value and value.percent)
        series.observations.append(place)
        return
    if state.chart.kind == "point" and value is not None and number(label) is not None:
        place = Observation(_x_number(state, label), value.value, percent=value.percent)
        series.observations.append(place)
        return
    label = same_name(label, state.chart.x.members)
    seen = Observation(label, value.value if value else None)
    ends = fact.interval or ()
    seen.scale = value.scale if value else 1.0
    seen.short = value.short if value else 0.0
    seen.percent = any(n.percent for n in (value, *ends) if n)
    if fact.interval is not None:
        seen.low, seen.high = (end.value for end in fact.interval)
    if fact.box:
        seen.box, seen.outliers, seen.percent = fact.box, fact.outliers, fact.percent
    kind = series.kind or state.chart.kind
    if kind != "point" or plain_number(label) is None:
        # Of two statements about one place the last counts.
        series.observations = [o for o in series.observations if o.x != label]
    series.observations.append(seen)


def _x_number(state: State, label: str) -> str | float:
    found = number(label)
    if found is None:
        return label
    return found.value / 100 if found.percent and state.chart.x.percent else found.value
