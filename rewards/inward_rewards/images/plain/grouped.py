"""Groups and their parts in a sentence: `Sales has 20 women and 15 men`."""

from __future__ import annotations

import re

from inward_rewards.images.plain.facts import Fact, listed
from inward_rewards.images.plain.labels import clean
from inward_rewards.images.plain.numbers import NUMBER, NUMBERS, number
from inward_rewards.images.plain.text import NAME

Cell = tuple[str, str, Fact]
"""The series, the place, and what is told of it."""

_COUNTED = re.compile(r"^(.+?)\s+(?:has|have|had|with|employs?|counts?)\s+(\d.*)$")
_PART_OF = re.compile(
    rf"^ ?(?:[a-z%]{{1,12}} )?(?:in|for|from|of|by|during|at) (?:the )?({NAME}"
    rf"|[\w-]{{2,20}}(?: [\w-]{{2,20}}){{0,2}}?)"
    r"(?: and|,(?: and)?)?\s*(?:[a-z]{1,12} )?$"
)
_COUNTED_AS = re.compile(
    rf"({NUMBER}) (?!(?:in|of|for|and|on|at|to|by|from|with|as|is|are)\b)([A-Za-z][\w-]{{1,30}})"
)
_OTHER_NOUN = re.compile(r"^ [a-z]{2,20}(?=[,;]| and\b)")
"""`medals` in `9 silver medals, Cuba`."""
_COUNT = re.compile(rf"({NUMBER})\s+([A-Za-z][\w -]{{0,40}})")


def counted(text: str) -> list[Cell]:
    """`Sales has 20 women and 15 men`; empty where the sentence is no such."""
    match = _COUNTED.match(text)
    parts = [_COUNT.fullmatch(part.strip()) for part in listed(match[2])] if match else []
    if match is None or len(parts) < 2 or not all(parts):
        return []
    name = clean(match[1])
    found = [Fact(part[2], number(part[1])) for part in parts if part]
    if not name or len({fact.label for fact in found}) < len(found):
        return []
    return [(str(fact.label), name, fact) for fact in found]


def by_group(text: str, known: list[str]) -> list[Cell]:
    """`Ajax scored 21 in the first half and 34 in the second; Celtic 30 and 28`: what the first
    group tells by name, the others tell in its order. `known` are names that the legend has."""
    parts = [part for part in text.rpartition(": ")[2].split(";") if part.strip()]
    if not 2 <= len(parts) <= 100:
        return []
    told = [list(NUMBERS.finditer(part)) for part in parts]
    count = len(told[0])
    if count < 2 or any(len(found) != count for found in told):
        return []
    names = _parts_named(parts[0], told[0]) or known
    places = [clean(part[: found[0].start()]) for part, found in zip(parts, told, strict=True)]
    if len(names) != count or not all(places) or len(set(places)) < len(places):
        return []
    return [
        (name, place, Fact(name, number(value.group())))
        for place, found in zip(places, told, strict=True)
        for name, value in zip(names, found, strict=True)
    ]


def by_count(text: str) -> list[Cell]:
    """`Kenya won 11 gold and 9 silver medals, Cuba 7 gold and 15 silver`: each group tells the same
    counts, by the same names."""
    found = list(_COUNTED_AS.finditer(text))
    if not 4 <= len(found) <= 400 or len(found) != len(NUMBERS.findall(text)):
        return []
    names = [match[2].lower() for match in found]
    count = len(set(names))
    if count < 2 or len(found) % count or names != names[:count] * (len(found) // count):
        return []
    cells: list[Cell] = []
    end = 0
    for start in range(0, len(found), count):
        group = found[start : start + count]
        place = clean(_OTHER_NOUN.sub("", text[end : group[0].start()]))
        if not place:
            return []
        cells += [(match[2], place, Fact(match[2], number(match[1]))) for match in group]
        end = group[-1].end()
    places = {place for _, place, _ in cells}
    return cells if len(places) == len(found) // count >= 2 else []


def _parts_named(part: str, found: list[re.Match[str]]) -> list[str]:
    """The names behind the numbers of `21 in the first half and 34 in the second half`."""
    ends = [*(match.start() for match in found[1:]), len(part)]
    named = [
        _PART_OF.match(part[match.end() : end]) for match, end in zip(found, ends, strict=True)
    ]
    names = [match[1] for match in named if match]
    return names if len(set(names)) == len(found) else []
