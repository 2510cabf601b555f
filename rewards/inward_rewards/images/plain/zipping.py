"""Lists of names beside lists of numbers: `the values for A, B and C are 1, 2 and 3`."""

from __future__ import annotations

import re

from inward_rewards.images.plain.chart import Number
from inward_rewards.images.plain.facts import Fact, listed
from inward_rewards.images.plain.labels import VERBS, clean
from inward_rewards.images.plain.numbers import NUMBERS, number, plain_number

MAX_NAMES = 2000
"""Characters before the numbers in which the names are looked for."""
_GAP = re.compile(
    r"\s*(?:[a-zA-Z°]{1,12})?\s*(?:,|;|/|&|and|, and)\s*(?:and\s+)?(?:(?:about|"
    r"approximately|only|~)\s*)?"
)
_REST = re.compile(r"[^\d:;]{0,60}")
_SAYS = re.compile(
    r"(?:,|;)?\s*(?:\b(?:and|with|whose|have|has|having)\s+)?(?:\b(?:their|the|its|these)\s+)?"
    r"(?:\b(?:respective|corresponding|approximate)\s+)?"
    r"(?:\b(?:values?|heights?|lengths?|numbers|figures|shares|counts|scores|percentages|totals|sizes)\b"
    r"\s*)?(?:\b(?:are|is|were|was|make up|makes up|have|has|had|come to|total|reach|"
    r"account for|take"
    r"|stand at|at|with|show|of|scored?|got|earned?|as follows|being)\b|:)\s*"
    r"(?:(?:the )?(?:values?|heights?) (?:of )?)?(?:(?:about|approximately|respectively:?) ?)?$",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^.*(?::|\b(?:for|of|belong to|belongs to|are|named|labell?ed|called|slices|bars|"
    r"columns|lists?"
    r"|categories|segments|shows?|showing|represent(?:s|ing)?|compar(?:es|ing)|between|"
    r"to|stand for)\b)\s+"
    r"(?:the )?",
    re.IGNORECASE,
)


def zipped(text: str) -> list[Fact]:
    """As many names as numbers that stand behind them; empty where the sentence is no such."""
    told = text
    text = re.sub(r",?\s*\b(?:each )?respectively\b", "", text)
    values, start = _values(text)
    if len(values) < 2:
        return []
    before = text[max(0, start - MAX_NAMES) : start]
    says = next((m for m in _SAYS.finditer(before) if m.end() == len(before) and m.group()), None)
    if (
        told != text
        and (verb := VERBS.search(before))
        and len(values) == _count(before[: verb.start()])
    ):
        # `A and B had much lower figures, at 25 and 11 respectively`
        says = verb
    if says is None:
        return []
    names = listed(before[: says.start()])[-len(values) :]
    if len(names) != len(values):
        return []
    first = _LEAD.sub("", names[0]).strip()
    names[0] = clean(first) or first
    if not all(0 < len(name) <= 60 for name in names) or len({*names}) < len(names):
        return []
    if any(NUMBERS.search(name) and not plain_number(name) for name in names):
        return []
    return [Fact(name, value) for name, value in zip(names, values, strict=True)]


def _count(names: str) -> int:
    return len(listed(names))


def _values(text: str) -> tuple[list[Number], int]:
    """The list of numbers at the end of `text`, and where it starts."""
    found = list(NUMBERS.finditer(text))
    if not found or not _REST.fullmatch(text[found[-1].end() :]):
        return [], 0
    run = [found[-1]]
    for match in reversed(found[:-1]):
        if not _GAP.fullmatch(text[match.end() : run[0].start()]):
            break
        run.insert(0, match)
    known = [value for match in run if (value := number(match.group()))]
    return (known, run[0].start()) if len(known) == len(run) else ([], 0)
