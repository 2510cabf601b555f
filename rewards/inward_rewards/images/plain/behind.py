"""Names that stand behind their numbers all along a sentence: `20 in Basel, 37 in Leeds`."""

from __future__ import annotations

import re

from inward_rewards.images.plain.chart import Number, around
from inward_rewards.images.plain.numbers import NUMBER, NUMBERS, number
from inward_rewards.images.plain.text import NAME

MAX_LENGTH = 4000
Behind = tuple[str, Number, tuple[Number, Number] | None]
"""The name, its number and what is told of its ends."""
_ITEM = re.compile(
    rf"(?P<value>{NUMBER})(?:[ -](?!(?:in|for|at|on|under|with|from|among|to|by|during|across"
    rf"|of)\b)"
    r"[A-Za-z°µ%$€£/]{1,14}){0,3}"
    rf"(?: \((?P<low>{NUMBER}) to (?P<high>{NUMBER})\)| ?± ?(?P<reach>{NUMBER}))?"
    r" (?:in|for|at|on|under|with|from|among|during|across)"
    rf" (?:the )?(?P<name>{NAME}|[^\s,;:()]{{1,40}}(?: (?!and\b|in\b|for\b|at\b|to\b|while\b)"
    r"[^\s,;:()]{1,40}){0,4}?)"
    rf"(?=(?:,|;)? (?:and |then |while |plus )?(?:about |around |only |just )?{NUMBER}|[,;.]? ?$)"
)
_IN_BRACKETS = re.compile(
    rf"(?P<value>{NUMBER})(?: [A-Za-z%]{{1,12}})? \((?:in |for |at )?(?P<name>{NAME}"
    r"|[^\s(),;:%][^(),;:%]{0,39})\)(?=(?:,|;)? ?(?:and )?(?:about |around )?[-−$€£\d~]|[,;.]? ?$)"
)
_JOINT = re.compile(r"(?:,|;)? ?(?:and |then |while |plus )?(?:about |around |only |just |~)?")


def behind(text: str) -> list[Behind]:
    """What each number of the sentence is of, where all have it behind them; else empty."""
    if len(text) > MAX_LENGTH:
        return []
    for item in (_ITEM, _IN_BRACKETS):
        found = _row(text, item)
        names = [match["name"] for match in found]
        if len(found) < 2 or len(set(names)) < len(names):
            continue
        if item is _IN_BRACKETS and not all(map(_names, names)):
            continue
        told = [_told(match) for match in found]
        if all(told):
            return [one for one in told if one]
    return []


def _row(text: str, item: re.Pattern[str]) -> list[re.Match[str]]:
    """The items that the numbers of `text` are, one after the other; empty where one is none."""
    first = NUMBERS.search(text)
    found: list[re.Match[str]] = []
    place = first.start() if first else len(text)
    while match := item.match(text, place):
        found.append(match)
        joint = _JOINT.match(text, match.end())
        place = joint.end() if joint else match.end()
        if not NUMBERS.search(text, place):
            return found
    return []


def _names(words: str) -> bool:
    """Whether `words` may name a number in brackets: another number would be its spread."""
    return bool(
        re.fullmatch(NAME, words)
        or (re.search("[A-Za-z]", words) and number(words) is None)
        or re.fullmatch(r"(?:1[5-9]|20)\d\d|\d+(?:\.\d+)?[kKMGB]", words)
    )


def _told(match: re.Match[str]) -> Behind | None:
    value, parts = number(match["value"]), match.groupdict()
    if value is None:
        return None
    low, high = (number(parts.get(end) or "") for end in ("low", "high"))
    if reach := number(parts.get("reach") or ""):
        low, high = around(value, reach)
    return match["name"].strip(), value, (low, high) if low and high else None
