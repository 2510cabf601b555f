"""Remarks on a plot: lines across and up, marked regions, words at a place."""

from __future__ import annotations

import re
from dataclasses import replace

from inward_rewards.images.plain.chart import Note, Place
from inward_rewards.images.plain.groups import ACROSS
from inward_rewards.images.plain.numbers import NUMBER, NUMBERS, iso_date, number
from inward_rewards.images.plain.runs import is_time
from inward_rewards.images.plain.state import State
from inward_rewards.images.plain.text import NAME

MAX_NOTES = 20
"""Of a chart; more are not read."""
MAX_SENTENCE = 400
"""Characters of a sentence that may be a remark."""
_LOOK = r"(?:(?:thin|thick|dashed|dotted|solid|reference|threshold|[a-z]{3,12}) ){0,4}?"
_WHERE = rf"(?:[xy] ?= ?|[xy]-axis |\w{{1,12}} ){{0,2}}?({NUMBER}|{NAME}|[A-Z][a-z]{{2,8}} \d{{4}})"
_LINE = r"(?:line|rule)s?\b"
_UP = re.compile(
    rf"\bvertical {_LOOK}{_LINE}[^.;]{{0,60}}?\b(?:at|marks|through|near|around"
    rf"|crosses)\s+{_WHERE}",
    re.IGNORECASE,
)
_ACROSS = re.compile(
    rf"\b(?:horizontal|dashed|dotted|reference|threshold|target) {_LOOK}{_LINE}[^.;]{{0,60}}?"
    rf"\b(?:at|marks|near|around)\s+(?:[a-z]{{1,12}} ?=? ?){{0,2}}?({NUMBER})",
    re.IGNORECASE,
)
_STANDS_UP = re.compile(r"\b(?:stands? up|goes up|upright)\b", re.IGNORECASE)
_REGION = re.compile(
    r"\b(?:region|area|zone|period|window|interval|range|stretch|part|section|span)\b",
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"\b(?:shaded|shading|highlighted|highlights|greyed|grayed|tinted|coloured|colored)\b",
    re.IGNORECASE,
)
_ENDS = re.compile(
    rf"\b(?:from|between)\s+(?:x ?= ?)?({NUMBER}|{NAME})\s+(?:to|and|until)\s+(?:x ?= ?)?"
    rf"({NUMBER}|{NAME})",
    re.IGNORECASE,
)
_BAND_OF = re.compile(
    r"\b(?:around|confidence|deviation|error|each line|the line)\b", re.IGNORECASE
)
_WORDS = re.compile(
    r"\b(?:words?|text|annotations?|annotated|notes?|callouts?|arrows?|labels?|labelled|labeled"
    r"|written|reads?|marked|tagged)\b",
    re.IGNORECASE,
)
_AT = re.compile(rf"\(\s*({NUMBER})\s*,\s*({NUMBER})\s*\)")
_LABEL = re.compile(
    rf"\b(?:label(?:l?ed)?|marked|annotated|tagged|reading|reads|words?|text|saying|says|marks"
    rf"|caption|note|is)\s*:?\s*(?:as |with |is )?(?:the )?(?:words?|text|label)?\s*({NAME})",
    re.IGNORECASE,
)


def note(state: State, text: str) -> bool:
    """Notes a remark on the plot; whether the sentence is one.

    A line that the legend names (`named "Target"`) is a series, and no remark.
    """
    if len(text) > MAX_SENTENCE:
        return False
    found = _up(text) or _across(text) or _region(text) or _words(state, text)
    if found is None:
        return False
    label = _LABEL.search(text)
    names = re.findall(NAME, text)
    if label is None and names and found.sort != "words":
        # `named`, or a name in the legend: the rules of series have it.
        if found.sort == "level":
            return False
        label = re.search(names[-1], text)
    said = "" if label is None else state.unquote(label[label.lastindex or 0])
    x, x2 = (state.unquote(p) if isinstance(p, str) else p for p in (found.x, found.x2))
    if len(state.chart.notes) < MAX_NOTES:
        state.chart.notes.append(replace(found, text=found.text or said, x=x, x2=x2))
    return True


def _place(words: str) -> Place | None:
    value = number(words)
    if value is not None:
        return value.value
    return iso_date(words) or (words if re.fullmatch(NAME, words) or is_time(words) else None)


def _up(text: str) -> Note | None:
    match = _UP.search(text)
    if match is None and _STANDS_UP.search(text):
        match = re.search(rf"\b{_LINE}.{{0,60}}?\bat\s+{_WHERE}", text, re.IGNORECASE)
    place = _place(match[1]) if match else None
    if match is None or place is None:
        return None
    value = number(match[1])
    return Note("moment", x=place, percent=value is not None and value.percent)


def _across(text: str) -> Note | None:
    match = _ACROSS.search(text)
    value = number(match[1]) if match else None
    if value is None or (not ACROSS.search(text) and len(NUMBERS.findall(text)) > 1):
        # `Model B (dashed line) starts at 52 in 2010` is a series.
        return None
    return Note("level", y=value.value, percent=value.percent, scale=value.scale)


def _region(text: str) -> Note | None:
    if not (_MARKED.search(text) and _REGION.search(text)) or _BAND_OF.search(text):
        return None
    match = _ENDS.search(text)
    ends = (_place(match[1]), _place(match[2])) if match else (None, None)
    if ends[0] is None or ends[1] is None:
        return None
    value = number(match[2]) if match else None
    percent = value is not None and value.percent
    return Note("span", x=ends[0], x2=ends[1], percent=percent)


def _words(state: State, text: str) -> Note | None:
    places, names = _AT.findall(text), re.findall(NAME, text)
    if len(places) != 1 or len(names) != 1 or not _WORDS.search(text):
        return None
    x, y = (number(place) for place in places[0])
    if x is None or y is None:
        return None
    return Note("words", state.unquote(names[0]), x.value, y.value, percent=y.percent)
