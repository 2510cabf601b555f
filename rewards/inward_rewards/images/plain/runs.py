"""Numbers along times and other places in running English: `falls from 4 in 2008 to 1 by 2020`.

A sentence is read as a row of numbers and of places (years, months, weekdays, quarters, `week 3`,
the names that an axis lists). A number belongs to the place that stands before it without a number
of its own, else to the one that follows it behind a preposition; `from 3 to 9 between 2010 and
2020` is two pairs. Where a number is left over, nothing is said: other rules read the sentence
then.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from inward_rewards.images.plain.chart import Number
from inward_rewards.images.plain.facts import ASIDE, Fact
from inward_rewards.images.plain.labels import clean
from inward_rewards.images.plain.numbers import NUMBER, number
from inward_rewards.images.plain.text import NAME

MAX_MEMBERS = 100
"""Names of an axis that are looked for."""
_MONTHS = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?"
)
_DAYS = r"(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?s?"
_COUNTED = (
    r"(?:years?|months?|weeks?|days?|hours?|minutes?|seconds?|epochs?|steps?|iterations?|ages?"
    r"|cycles?|rounds?|quarters?|generations?|trials?|sessions?|levels?|depths?)"
)
_TIME = (
    rf"{_MONTHS}(?:,? (?:1[5-9]|20|21)\d\d)?(?![\w])|{_DAYS}(?!\w)|Q[1-4](?: (?:19|20)\d\d)?(?!\w)"
    rf"|(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?:-\d\d)?(?![\w-])"
)
_YEAR = r"(?<![\w.,$€£-])(?:1[5-9]|20|21)\d\d(?:s|[/–-]\d\d)?(?![\w%]|[.,]\d)"
_TIME_ONLY = re.compile(rf"{_TIME}|{_YEAR}")
_BEFORE_YEAR = re.compile(
    r"\b(?:in|by|during|until|till|since|around|year|years|from|to|between|and|for|at|of)"
    r" (?:about |the )?(?:years? )?$|^$",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"^(?! ?(?:and|while|whereas|but|then|to|"
    r"from)\b)[^\s\w,;:()-]{0,3}(?:[ -][^\s,;:()-]{1,20}){0,4}?"
    r",? (?:in|by|at|on|during|for|around|as of|after) (?:about |around |the )?(?:year |month"
    r" of )?$"
)
"""Between a number and the place behind it."""
_OPENS = re.compile(r"\b(?:while|whereas|but)\b|;")
_AT = re.compile(r"^[^,;.]{0,24}? (?:at|after) (?:about )?$")
_RANGE_OF = re.compile(r"\b(?:between|from)\s+(?:the )?(?:years? )?$", re.IGNORECASE)
_AND = re.compile(r"^\s*(?:and|to|through|until|–|-)\s*$")
_TO = re.compile(
    r"^[^\s\w,;:()-]{0,3}(?:[ -][^\s,;:()-]{1,20}){0,4}? (?:to|until|up to|"
    r"down to) (?:about |around )?$"
)
_REPRESENTS = re.compile(
    r"\b(?:representing|represents|for|showing|labell?ed|named|called|standing for|stands for) "
    rf"(?:the )?({NAME}|[\w&./ -]{{1,40}}?)(?=,|\)|$| (?:is|was|goes|start|begin|rise|fall|drop"
    r"|climb|grow|decline|increase|decrease|move|show|has|had|with|at|from|st[oa][on]|remain|stay"
    r"|peak|reach|hit|went|rose|fell|grew|came|come|finish|hover|fluctuat|sit|sat|dip"
    r"|jump|surg|plung|soar|slid|shr[aiu]n|decreas|increas|doubl|tripl|recover|plateau"
    r"|were|are|stabili)[a-z]*\b| (?:ends|ended|crosses|crossed|passes|passed"
    r"|level(?:s|l?ed)? (?:off|out))\b)"
)
_VERB = re.compile(
    r",? (?:is|was|are|were|has|had|have|goes|went|stays?|stayed|remains?|starts?|started|begins?"
    r"|began|rises?|rose|falls?|fell|drops?|dropped|climbs?|climbed|grows?|grew|declines?|declined"
    r"|increases?|increased|decreases?|decreased|moves?|reach(?:es|ed)?|sits?|hits?|peaks?|peaked"
    r"|opens?|comes?|came|stood|stands?|shows?|gains?|loses?|recovers?|recovered|jumps?|jumped"
    r"|improves?|improved|worsens?|worsened|accelerates?|accelerated|dips?|dipped|ends?|ended|finish(?:es|ed)?|follows?|leads?|soars?|slides?|doubles?|shrinks?"
    r"|shrank|surges?|plunges?|slips?|edges?|steadily|slowly|gradually|sharply|slightly|then)\b"
)
_NO_NAME = re.compile(
    r"^(?:it|they|this|that|which|the|a|an|one|there|here|values?|data|chart|graph|line|lines|curve"
    r"|figure|trend|levels?|after|before|then|and|finally|next|from|in|by|at|on|first|starting"
    r"|beginning|both|overall|points?|series|bar|bars|y|x|with|we)$",
    re.IGNORECASE,
)
_HEAD_WORDS = re.compile(
    r"^(?:(?:and|while|whereas|but|then|the|a|an|solid|dashed|dotted|[a-z]+ (?=line|curve))\b\s*)+"
    r"|\s*\b(?:line|curve|area|layer|series|bars?)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    place: str | None
    value: Number | None


def runs(text: str, members: list[str], series: list[str]) -> list[Fact]:
    """Numbers with their places and subjects; empty where the sentence is not wholly of such.

    `members` are names that the axis lists, `series` those of the chart so far.
    """
    text = ASIDE.sub(" ", text)
    tokens = _tokens(text, members)
    count = sum(token.value is not None for token in tokens)
    if not count or count == len(tokens):
        return []
    pairs = _pairs(text, tokens)
    if len(pairs) < count:
        return []
    known = _any_of([name.lower() for name in series])
    found, subject, end = [], "", 0
    for place, value in pairs:
        first, last = min(place.start, value.start), max(place.end, value.end)
        subject = _subject(text[end:first], known, opens=end == 0) or subject
        found.append(Fact(place.place, value.value, subject=subject))
        end = last
    return found


def is_time(words: str) -> bool:
    """Whether `words` are a year, a month, a weekday, a quarter or a date, and nothing else."""
    return _TIME_ONLY.fullmatch(words.strip()) is not None


def _tokens(text: str, members: list[str]) -> list[_Token]:
    known = _any_of([name for name in members if not number(name)])
    pattern = re.compile(
        rf"(?P<member>{known})|(?P<counted>(?<!\w)(?i:{_COUNTED}) \d{{1,6}}(?![\w%]|[.,]\d))"
        rf"|(?P<time>(?<!\w)(?:{_TIME}))|(?P<year>{_YEAR})|(?P<value>{NUMBER})"
    )
    found: list[_Token] = []
    for match in pattern.finditer(text):
        kind, words = match.lastgroup, match.group()
        if kind == "year" and not _BEFORE_YEAR.search(
            text[max(0, match.start() - 24) : match.start()]
        ):
            kind = "value"
        value = number(words) if kind == "value" else None
        if kind == "value" and value is None:
            continue
        if value is not None and found and found[-1].value is not None:
            # `25.4 at 3`: the number that follows is the place.
            kind = "at" if _AT.search(text[found[-1].end : match.start()]) else kind
            value = None if kind == "at" else value
        place = None if kind == "value" else _place(words, counted=kind == "counted")
        found.append(_Token(match.start(), match.end(), place, value))
    return found


def _place(words: str, *, counted: bool) -> str:
    if counted and words.lower().startswith(("year", "epoch", "step", "iteration", "age")):
        return words.split()[-1]
    return words.rstrip(".")


def _pairs(text: str, tokens: list[_Token]) -> list[tuple[_Token, _Token]]:
    """Each number with its place, in order; numbers without one are left out."""
    pairs: list[tuple[_Token, _Token]] = []
    open_place: _Token | None = None
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if four := _ranges(text, tokens, i):
            pairs += four
            open_place, i = None, i + 4
            continue
        if token.value is None:
            open_place, i = token, i + 1
            continue
        following = tokens[i + 1] if i + 1 < len(tokens) else None
        if open_place is not None and _near(text, open_place, token):
            pairs.append((open_place, token))
            open_place = None
        elif (
            following is not None
            and following.value is None
            and following.start - token.end <= 80
            and _BEHIND.search(text[token.end : following.start])
        ):
            pairs.append((following, token))
            open_place, i = None, i + 1
        i += 1
    return pairs


def _near(text: str, place: _Token, value: _Token) -> bool:
    between = text[place.end : value.start]
    return len(between) <= 80 and not _OPENS.search(between)


def _ranges(text: str, tokens: list[_Token], i: int) -> list[tuple[_Token, _Token]]:
    """`between 2010 and 2020 it rises from 3 to 9`, in either order."""
    four = tokens[i : i + 4]
    if len(four) < 4:
        return []
    gaps = [text[a.end : b.start] for a, b in itertools.pairwise(four)]
    if any(len(gap) > 80 for gap in gaps):
        return []
    before = text[max(0, four[0].start - 24) : four[0].start]
    places_first = [token.value is None for token in four] == [True, True, False, False]
    values_first = [token.value is None for token in four] == [False, False, True, True]
    if places_first and _AND.match(gaps[0]) and _TO.search(gaps[2]) and _RANGE_OF.search(before):
        return [(four[0], four[2]), (four[1], four[3])]
    if values_first and _TO.search(gaps[0]) and _AND.match(gaps[2]) and _RANGE_OF.search(gaps[1]):
        return [(four[2], four[0]), (four[3], four[1])]
    return []


def _any_of(names: list[str]) -> str:
    """A pattern of any of the names, the longest first; one that is found nowhere for none."""
    fit = sorted((name for name in names if 0 < len(name) <= 60), key=len, reverse=True)
    return rf"(?<!\w)(?:{'|'.join(map(re.escape, fit[:MAX_MEMBERS]))})(?!\w)" if fit else r"(?!)"


def _subject(words: str, known: str, *, opens: bool) -> str:
    """Whose numbers follow, as far as the words before them say so."""
    if len(words) > 200:
        words = words[-200:]
    if named := re.search(known, words.lower()):
        return words[named.start() : named.end()]
    opened = _OPENS.search(words)
    if not opens and opened is None:
        return ""
    words = words[opened.end() :] if opened and not opens else words
    if match := _REPRESENTS.search(words):
        return match[1].strip()
    verb = _VERB.search(words)
    head = words[: verb.start()] if verb else words
    head = _HEAD_WORDS.sub("", head.rpartition(",")[2].strip() or head.strip(" ,")).strip()
    head = _HEAD_WORDS.sub("", head).strip(" ,:")
    if not head or _NO_NAME.match(head) or len(head.split()) > 5:
        return ""
    # `proposed model`: no verb stands before its noun.
    cleaned = head if re.match(r"[a-z]{3,}ed [a-z]", head) else clean(head)
    return "" if _NO_NAME.match(cleaned) else cleaned
