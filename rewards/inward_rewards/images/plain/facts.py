"""Names and their numbers in a piece of English: `Brazil exported 2,400`, `rises to 18 in May`."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from dataclasses import dataclass

from inward_rewards.images.plain.behind import behind
from inward_rewards.images.plain.chart import Number, around
from inward_rewards.images.plain.labels import MAX_LABEL, clean
from inward_rewards.images.plain.numbers import COLOR, NUMBER, NUMBERS, TIGHT_RANGE, number
from inward_rewards.images.plain.text import NAME

MAX_CHUNK = 300
"""Characters before a number in which its name is looked for."""


@dataclass(frozen=True)
class Fact:
    """`label` is None where a number stands without a name; `more` are a point's y and size."""

    label: str | None
    value: Number | None
    more: tuple[Number, ...] = ()
    interval: tuple[Number, Number] | None = None
    box: tuple[float, ...] = ()
    outliers: tuple[float, ...] = ()
    percent: bool = False
    """Of a box: its numbers were written with %."""
    subject: str = ""
    """`club` in `the club had 30 in 2018`."""


_TUPLE = re.compile(
    rf"\(\s*([^(),]{{1,60}}?)\s*,\s*({NUMBER})(?:\s*,\s*(?:size\s+|area\s+)?({NUMBER}))?\s*\)"
)
_INTERVAL = re.compile(
    rf"[(\[]\s*(?:from|range|interval|ci|95 ?% ci|between)?:?\s*({NUMBER})\s*(?"
    rf":to|and|–|-|,)\s*({NUMBER})\s*[)\]]",
    re.IGNORECASE,
)
_BAND = re.compile(rf"(?<=[:=])\s*(?:from|between)\s+({NUMBER})\s+(?:to|and)\s+({NUMBER})")
_PLUS_MINUS = re.compile(rf"({NUMBER})\s*(?:±|\+/-|\+-|plus or minus)\s*({NUMBER})")
_COUNT_OF = re.compile(
    rf"({NUMBER}) (?:of the |of )?(?!(?:in|on|at|for|by|and|to|with|the|per|of|is|are)\b)"
    r"([A-Za-z][\w-]{1,30}(?: (?!(?:and|in|are|is|were|was|each|with|for)\b)[a-z][\w-]{1,30}){0,2})"
)
_META = re.compile(
    r"\b(?:bars?|columns?|lines?|points?|slices?|series|categor|groups?|panels?|segments?|ticks?"
    r"|colou?rs?|pixels?|px|axes|labels?|rows?|boxes|curves?|data|dots|degrees|percent)"
)
_COMMA = re.compile(r"\s*(?:,|;|, and|and|&|as well as|plus)\s*")
_NAMED = re.compile(r"(?::|=|[A-Za-z0-9]\s*\()\s*$|\b(?:is|are|has|have|at|reach(?:es)?|with) $")
_HOLE = "\uf700"
_BREAK = re.compile(r",|;|\n|\b(?:and|then|while|whereas|but|followed by|before)\b")
_SEPARATED = re.compile(
    rf"^(.*?)\s*(?::|=|→|->|=>|⇒|–|—|\s-)\s*(?:{_HOLE}|~|≈|about |approximately"
    rf" |around |roughly |approx\. |nearly |almost |a value of )?\s*({NUMBER})("
    r".*)$"
)
_AFTER = re.compile(
    r"^\s*([^\d]{0,30}?)\b(?:in|on|for|at|during|by|from|goes to|is for)\s+(?:the\s+)?(.+)$"
)
_OF_IT = re.compile(
    r"^\)?\s*(?:of (?:it|them|the (?:total|whole|pie|chart)))?\s*\)?\s*(?:is|a"
    r"re|was|were|goes to|belongs to|comes from|for|to)?\s+(.+)$"
)

_PLACE = re.compile(r"(?<=\()\d{1,3}(?:,\d{3})+(?=, )")
"""`(4,000, 30)`"""
_HAVE = re.compile(
    r"^(?: (?:of )?(?:the )?[a-z]{2,20}(?: [a-z]{2,20})?)? (?:use|have|had|chose|choose"
    r"|prefer(?:red)?"
    r"|own|said|answered|take|took|like|picked|voted for|go to|went to)s? (?:an? |the"
    r" )?(\S.{0,40})$"
)
"""`nine children have a dog`, `4 % of homes use solar power`."""
ASIDE = re.compile(
    rf"\([^()\d]{{0,20}}(?:{COLOR.pattern})[^()\d]{{0,20}}\)|(?<=\w) in (?:a |the"
    rf" )?(?:{COLOR.pattern})|\b\d+ ?% (?:confidence|ci|interval)\b",
    re.IGNORECASE,
)
"""Said of colours and intervals between a name and its number."""
_DASHED = re.compile(r"^\s*([^-–—:()\d][^–—:()]{0,50}?)\s+[-–—]\s+\D")


def facts(text: str) -> list[Fact]:
    """What `text` says of numbers, in order."""
    text = _PLACE.sub(lambda found: found[0].replace(",", ""), ASIDE.sub(" ", text))
    points = [
        match
        for match in _TUPLE.finditer(text)
        if not _follows_number(text, match.start()) and not _thousands(text, match)
    ]
    if points:
        return [_point(match) for match in points]
    rows = [Fact(name, value, interval=ends) for name, value, ends in behind(text)]
    return rows or _counts(text) or _chunks(text)


def _counts(text: str) -> list[Fact]:
    """`14 dogs, 22 cats and 5 birds`: names behind their numbers, where no two are alike."""
    found = list(_COUNT_OF.finditer(text))
    names = [match[2].lower() for match in found]
    if len(found) < 2 or len(set(names)) < len(names) or len(found) != len(NUMBERS.findall(text)):
        return []
    if any(_META.search(name) for name in names):
        return []
    gaps = [text[a.end() : b.start()] for a, b in itertools.pairwise(found)]
    if not all(_COMMA.fullmatch(gap) for gap in gaps) or _NAMED.search(text[: found[0].start()]):
        return []
    return [Fact(match[2], number(match[1])) for match in found]


def _follows_number(text: str, place: int) -> bool:
    before = text[max(0, place - 24) : place].rstrip()
    last = None
    for last in NUMBERS.finditer(before):  # noqa: B007 - the last one is meant
        pass
    return last is not None and last.end() == len(before)


def _thousands(text: str, match: re.Match[str]) -> bool:
    """`the South (6,730)`: a number behind a name, and no point."""
    return bool(
        re.fullmatch(r"\(\d{1,3}(?:,\d{3})+\)", match.group())
        and re.search(rf"(?:[A-Za-z]|{NAME}) ?$", text[max(0, match.start() - 3) : match.start()])
    )


def _point(match: re.Match[str]) -> Fact:
    first, second, third = match.groups()
    more = tuple(found for found in (number(third),) if found) if third else ()
    return Fact(first, number(second), more)


def _chunks(text: str) -> list[Fact]:
    intervals: list[tuple[Number, Number]] = []

    def put(match: re.Match[str]) -> str:
        low, high = number(match[1]), number(match[2])
        if re.fullmatch(r"\(\d{1,3}(?:,\d{3})+\)", match.group()):
            return match.group()  # the thousands of one number
        if low is None or high is None or len(intervals) >= 1000:
            return match.group()
        intervals.append((low, high))
        return f" {_HOLE} "

    def spread(match: re.Match[str]) -> str:
        middle, reach = number(match[1]), number(match[2])
        if middle is None or reach is None:
            return match.group()
        intervals.append(around(middle, reach))
        return f"{match[1]} {_HOLE} "

    text = _PLUS_MINUS.sub(spread, text)
    text = _BAND.sub(put, _INTERVAL.sub(put, text))
    found: list[Fact] = []
    taken = 0
    for chunk in _split(text):
        holes = chunk.count(_HOLE)
        interval = intervals[taken] if holes else None
        taken += holes
        fact = _chunk(chunk.replace(_HOLE, " "), interval)
        if fact is not None:
            found.append(fact)
    return found


def _split(text: str) -> list[str]:
    """Pieces with a number each: what stands before one goes with it."""
    inside = [match.span() for match in NUMBERS.finditer(text)]
    # Ends of what a piece must hold one of.
    ends = sorted([*(end for _, end in inside), *(m.end() for m in re.finditer(_HOLE, text))])
    inside += [match.span() for match in re.finditer(r"\([^()]*\)", text)]
    pieces, start, place = [], 0, 0
    inside.sort()
    for match in _BREAK.finditer(text):
        while place < len(inside) and inside[place][1] <= match.start():
            place += 1
        covered = any(a <= match.start() < b for a, b in inside[max(0, place - 2) : place + 3])
        first = bisect_right(ends, start)
        if covered or first == len(ends) or ends[first] > match.start():
            continue
        pieces.append(text[start : match.start()])
        start = match.start() if match.group() == "followed by" else match.end()
    pieces.append(text[start:])
    return pieces


def _chunk(chunk: str, interval: tuple[Number, Number] | None) -> Fact | None:
    chunk = chunk.strip()[-MAX_CHUNK:]
    separated = _SEPARATED.match(chunk)
    if separated is not None:
        label, value, _ = separated.groups()
        plain = _explicit(label)
        if plain and len(plain) <= MAX_LABEL:
            return Fact(plain, number(value), interval=interval)
    if interval is not None and chunk.endswith((":", "=")) and _explicit(chunk):
        return Fact(_explicit(chunk), None, interval=interval)
    spans = list(NUMBERS.finditer(chunk))
    if spans and (dashed := _DASHED.match(chunk)) and _explicit(dashed[1]):
        return Fact(_explicit(dashed[1]), number(spans[-1].group()), interval=interval)
    if not spans:
        if interval is None:
            return None
        return Fact(_explicit(chunk.rstrip(" :=")), None, interval=interval)
    bins = TIGHT_RANGE.search(chunk)
    if bins and bins.end() <= spans[-1].start():
        return Fact(bins.group(), number(spans[-1].group()), interval=interval)
    first, last = spans[0], spans[-1]
    if len(spans) >= 2:
        between = chunk[first.end() : last.start()]
        if re.fullmatch(
            r"[^\d]{0,30}?\b(?:in|on|for|at|by|during|as of|year)\s+(?:the\s+)?(?:[a-z]+\s+)?",
            between,
        ):
            subject = clean(chunk[: first.start()])
            return Fact(last.group(), number(first.group()), interval=interval, subject=subject)
        head = clean(chunk[: first.start()])
        if head and NAME[1] <= head[:1]:
            return Fact(head, number(first.group()), interval=interval)
        if re.search(r"\bfrom\s*$", chunk[: first.start()]) and between.strip() == "to":
            return _one(chunk[: first.start()], last, chunk[last.end() :], interval)
        if between.strip(" ,") and not between.strip().startswith(("%", "of")):
            word = head if len(head.split()) <= 3 else ""
            return Fact(f"{word} {first.group()}".strip(), number(last.group()), interval=interval)
    return _one(chunk[: first.start()], first, chunk[first.end() :], interval)


def _one(
    left: str, found: re.Match[str], right: str, interval: tuple[Number, Number] | None
) -> Fact:
    value = number(found.group())
    left = left.rpartition(": ")[2] or left
    bracketed = left.rstrip().endswith("(") and right.startswith(")")
    head = (_explicit(left.rstrip(" (")) if bracketed and len(left.split()) <= 4 else "") or clean(
        left
    )
    after = _AFTER.match(right)
    if after is not None:
        tail = clean(after[2])
        starts_low = not head or (head[:1].islower() and tail[:1] and not tail[:1].islower())
        if tail and starts_low and len(tail.split()) <= 4:
            return Fact(tail, value, interval=interval, subject=head)
    if not head and (has := _HAVE.match(right)) and (tail := clean(has[1])):
        return Fact(tail, value, interval=interval)
    if not head or bracketed:
        of_it = _OF_IT.match(right)
        tail = clean(of_it[1]) if of_it else ""
        if (
            tail
            and len(tail.split()) <= 4
            and (tail[:1].isupper() or tail[:1] >= NAME[1] or found.group().endswith(("%", "cent")))
        ):
            return Fact(tail, value, interval=interval)
        return Fact(head or None, value, interval=interval)
    return Fact(head, value, interval=interval)


def _explicit(label: str) -> str:
    """A name before a colon or an equals sign: as it is, without a lead such as `and`."""
    quoted = re.findall(NAME, label)
    if quoted:
        return str(quoted[-1])
    label = re.sub(r"\s*\([^()]*\)\s*$", "", label)
    label = re.sub(
        r"^\s*(?:and|then|with|for|by|followed by|ahead of|the bar for|the value for"
        r"|(?-i:the)(?= (?-i:[A-Z])))\s+",
        "",
        label.strip(),
        flags=re.I,
    )
    label = re.sub(r" (?:none|nobody|nothing|zero)$", "", label.strip(" \t,;:*'’").rstrip("-–— "))
    return label if NUMBERS.match(label) else label.lstrip("-–— ")


def listed(text: str) -> list[str]:
    """The members of `A, B and C`, quoted or not."""
    text = re.sub(r"\s*\([^()]*\)", "", text)
    if quoted := re.findall(NAME, text):
        return list(quoted)
    parts = re.split(r"\s*(?:,|;|\band\b|\bor\b|&)\s*", text)
    return [part.strip(" .:[]") for part in parts if part.strip(" .:[]")]
