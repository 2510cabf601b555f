"""The five numbers of a box: `median 12, quartiles 8 and 18, whiskers 2 and 30`, by any name."""

from __future__ import annotations

import re

from inward_rewards.images.plain.facts import Fact
from inward_rewards.images.plain.labels import clean
from inward_rewards.images.plain.numbers import numbers

_PARTS = (
    ("low", r"(?:minimum|min|lowest|lower (?:whisker|fence|end|extreme)|bottom whisker|smallest)"),
    ("q1", r"(?:q1|first quartile|1st quartile|lower quartile|25th percentile|25 ?%|box bottom)"),
    ("median", r"(?:median|q2|50th percentile|middle line)"),
    ("q3", r"(?:q3|third quartile|3rd quartile|upper quartile|75th percentile|75 ?%|box top)"),
    ("high", r"(?:maximum|max|highest|upper (?:whisker|fence|end|extreme)|top whisker|largest)"),
    ("quartiles", r"(?:quartiles|interquartile range|iqr|box)"),
    ("whiskers", r"whiskers"),
    ("outliers", r"outliers?"),
)
_PART = re.compile("|".join(rf"(?P<{name}>\b{words}\b)" for name, words in _PARTS), re.IGNORECASE)


_SLASHED = re.compile(
    r"(?<![\w./])-?\d{1,9}(?:\.\d{1,9})?(?: ?/ ?-?\d{1,9}(?:\.\d{1,9})?){4}(?![\w/])"
)
"""`12/18/22/27/40`"""
_DASH = re.compile(r"(?<=\d)\s?[-–—]\s?(?=\d)")


_CLAUSE = re.compile(r"(?:[,;] and|[,;]|\band) (?![^(]*\))")
_BARE = re.compile(
    r"^([^()]{1,40}?)(?:'s|’s)? (?:median )?(?:is|was|has|at|of|with)(?: a median of)? "
    r"(-?[$€£]?\d[\d.,]{0,12}%?)(?: [a-z%]{1,10})? \("
)
"""`New Zealand's is 382 (box 352 to 406)`: the median."""
_ELLIPTIC = re.compile(r"^[A-Z\ue100-\uf0a0][^\d()]{0,40}(?:'s|’s|:| has| is)")
_OF = re.compile(
    r"\b(?:for|of|in) (?:the )?([A-Z\ue100-\uf0a0][^,;:()\d]{0,40}?)"
    r"(?=[,;(]|$| (?:is|has|with|the|and|was|are)\b)"
)


def part_of(words: str) -> str | None:
    """The part of a box that `words` name, and nothing else."""
    match = _PART.fullmatch(words.strip(" .:()"))
    return match.lastgroup if match else None


def box(parts: dict[str, list[float]], *, percent: bool = False) -> Fact | None:
    """The box of what is known by part; None without a median and quartiles."""
    quartiles = [*parts.get("quartiles", [])]
    if len(quartiles) < 2:
        quartiles = [*parts.get("q1", [])[:1], *parts.get("q3", [])[:1]]
    median = parts.get("median", [])
    if len(quartiles) < 2 or not median:
        return None
    ends = [*parts.get("whiskers", [])]
    if len(ends) < 2:
        ends = [*(parts.get("low") or quartiles)[:1], *(parts.get("high") or quartiles[1:])[:1]]
    five = (ends[0], quartiles[0], median[0], quartiles[1], ends[1])
    return Fact(None, None, box=five, outliers=tuple(parts.get("outliers", ())), percent=percent)


def from_cells(cells: list[tuple[str, float]]) -> Fact | None:
    """The box of a table's row: titles of columns and their numbers."""
    parts: dict[str, list[float]] = {}
    for title, value in cells:
        name = part_of(re.sub(r"\s*\([^()]*\)", "", title))
        if name:
            parts.setdefault(name, []).append(value)
    return box(parts)


def boxes_of(text: str) -> list[Fact]:
    """The boxes that a sentence tells whole: a part that is told again begins the next."""
    clauses: list[str] = []
    seen: set[str | None] = set()
    for clause in _CLAUSE.split(text):
        parts = {mark.lastgroup for mark in _PART.finditer(clause)}
        opens = parts & seen or (parts and _BARE.match(clause)) or _ELLIPTIC.match(clause)
        if clauses and not opens:
            clauses[-1] += f", {clause}"
            seen |= parts
            continue
        clauses.append(_BARE.sub(r"\1 median \2 (", clause, count=1))
        seen = parts
    found = [box_of(clause) for clause in clauses]
    return [fact for fact in found if fact] if all(found) else []


def box_of(text: str) -> Fact | None:
    """The box that a statement tells whole, labelled by what stands before its first part, or by
    the first name behind `for`, `of` or `in`."""
    if slashed := _SLASHED.search(text):
        values = [float(part) for part in slashed.group().split("/")]
        label = clean(text[: slashed.start()].rstrip(" :=(")) or None
        return Fact(label, None, box=tuple(values)) if values == sorted(values) else None
    marks = list(_PART.finditer(text))
    if len(marks) < 2 or len(marks) > 40:
        return None
    parts: dict[str, list[float]] = {}
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        piece = text[mark.end() : following.start() if following else len(text)]
        found = [value.value for value in numbers(_DASH.sub(" to ", piece))]
        if mark.lastgroup is not None and mark.lastgroup not in parts and found:
            parts[mark.lastgroup] = found
    found_box = box(parts, percent="%" in text)
    if found_box is None:
        return None
    before = text[: marks[0].start()]
    label = clean(before.rpartition(":")[0] or before)
    if not label and (owner := _OF.search(text)):
        label = clean(owner[1])
    return Fact(
        label or None,
        None,
        box=found_box.box,
        outliers=found_box.outliers,
        percent=found_box.percent,
    )
