"""What an answer may mean besides its first reading: rounded values, and notations with two senses.

A second reading counts only where the other side's notation asks for it.
"""

import re
from collections.abc import Iterator

from inward_rewards.maths import angles, characters

_DECIMAL = re.compile(r"-?\d*\.\d+")
_APPROXIMATE = re.compile(r"\s*\\(?:approx|simeq|doteq)(?![a-zA-Z])\s*")
_OR = r"(?:or|about|approximately|or about|or approximately)"
_OR_ROUNDED = re.compile(
    rf"(?P<exact>[^,]+?)\s*(?:\(\s*(?:{_OR}|\\text\s*\{{\s*{_OR}\s*\}}|\\approx)\s*"
    r"(?P<inside>-?\d*\.\d+)\s*\)"
    rf"|(?:\\text\s*\{{\s*{_OR}\s*\}}|\b{_OR}\b)\s*(?P<behind>-?\d*\.\d+))"
)


def approximation(text: str) -> tuple[str, str | None]:
    """An exact value and the decimal given with it: `\\frac{1}{3} \\approx 0.333`, either way."""
    sides = _APPROXIMATE.split(text)
    if len(sides) == 2:
        decimals = [bool(_DECIMAL.fullmatch(side)) for side in sides]
        if decimals == [False, True]:
            return sides[0], sides[1]
        if decimals == [True, False]:
            return sides[1], sides[0]
    if (match := _OR_ROUNDED.fullmatch(text)) and not _DECIMAL.fullmatch(match["exact"]):
        return match["exact"], match["inside"] or match["behind"]
    return text, None


_CHOOSE = re.compile(r"(?<![\w\\])(?:C\s*\(\s*(\d+)\s*,\s*(\d+)\s*\)|(\d+)\s*C\s*(\d+))")
_PLAIN_LOG = re.compile(r"(?<![\\a-zA-Z])log\s*(?=\()")
_RADIANS = re.compile(r"\\pi(?![a-zA-Z])|arc(?:sin|cos|tan)")
_UNION = re.compile(r"\\cup(?![a-zA-Z])|[\])]\s*U\s*[(\[]")
_SIDE_BY_SIDE = re.compile(
    r"(?<=[)\]])\s*,?\s*(?:\\text\s*\{\s*(?:or|and)\s*\}|\b(?:or|and)\b|,)\s*"
    r"(?=(?:\\left\s*)?[(\[])"
)


def other_readings(gold: str, answer: str) -> Iterator[tuple[str, str]]:
    """Pairs of texts to compare where the first readings differ."""
    gold, answer = characters.plain(gold), characters.plain(answer)
    if _CHOOSE.search(gold) or _CHOOSE.search(answer):
        yield _binomial(gold), _binomial(answer)
    if _PLAIN_LOG.search(gold) or _PLAIN_LOG.search(answer):
        yield _PLAIN_LOG.sub(r"\\ln", gold), _PLAIN_LOG.sub(r"\\ln", answer)
    if bool(_UNION.search(gold)) != bool(_UNION.search(answer)):
        yield _SIDE_BY_SIDE.sub(r" \\cup ", gold), _SIDE_BY_SIDE.sub(r" \\cup ", answer)
    for one, other in ((gold, answer), (answer, gold)):
        if angles.DEGREE.search(one) and _RADIANS.search(other) and not angles.DEGREE.search(other):
            yield angles.in_radians(gold), angles.in_radians(answer)


def _binomial(text: str) -> str:
    return _CHOOSE.sub(lambda m: rf"\binom{{{m[1] or m[3]}}}{{{m[2] or m[4]}}}", text)
