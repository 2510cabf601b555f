"""The fast path: plain numbers and identical texts, decided in microseconds.

It answers only where it cannot disagree with math-verify, and returns None everywhere else.
"""

import re
from fractions import Fraction

# At most 15 digits: math-verify reads a decimal as a float of 15 significant digits.
_DIGITS = r"(?:0|[1-9]\d{0,14})"
_INTEGER = re.compile(rf"-?{_DIGITS}")
_DECIMAL = re.compile(r"-?(?=[\d.]{2,16}$)\d*\.\d+")
_FRACTION = re.compile(
    rf"(?P<sign>-?)(?:\\frac\{{(?P<top>{_DIGITS})\}}\{{(?P<bottom>[1-9]\d{{0,14}})\}}"
    rf"|(?P<left>{_DIGITS})/(?P<right>[1-9]\d{{0,14}}))"
)
# math-verify rounds to six decimal places where one side is a decimal; nearer than this, let it
# decide itself.
_NEAR = Fraction(1, 100_000)


def decide(gold: str, answer: str) -> bool | None:
    """Whether the stripped texts `gold` and `answer` are equal; None: ask math-verify."""
    gold, answer = _plain(gold), _plain(answer)
    if gold == answer:
        return True
    brackets = gold[:1] + gold[-1:]
    if brackets in _BRACKETS and brackets == answer[:1] + answer[-1:]:
        return _tuples(_items(gold), _items(answer), brackets == "()")
    return _numbers(gold, answer)


_BRACKETS = ("()", "[]", "(]", "[)")
# `(1,234)` may be one number or two.
_GROUPED = re.compile(r"\d,\d{3}(?!\d)")


def _items(text: str) -> list[str]:
    """What stands between the brackets of a point or an interval."""
    return [] if _GROUPED.search(text) else [item.strip() for item in text[1:-1].split(",")]


def _tuples(gold: list[str], answer: list[str], point: bool) -> bool | None:
    if not point and not len(gold) == len(answer) == 2:  # half-open, and not an interval
        return None
    verdicts = [_numbers(*pair) for pair in zip(gold, answer, strict=False)]
    if not verdicts or None in verdicts:
        return None
    if len(gold) == len(answer) and all(verdicts):
        return True
    return False if point else None  # all empty intervals are equal


def _numbers(gold: str, answer: str) -> bool | None:
    left = _value(gold)
    if left is None:
        return None
    right = _value(answer)
    if right is None:
        return None
    (a, a_decimal), (b, b_decimal) = left, right
    if a == b:
        return True
    if (a_decimal or b_decimal) and abs(a - b) < _NEAR:
        return None
    return False


def _value(text: str) -> tuple[Fraction, bool] | None:
    """The exact value of a plain number and whether it is written as a decimal."""
    if _INTEGER.fullmatch(text):
        return Fraction(int(text)), False
    if match := _FRACTION.fullmatch(text):
        top, bottom = match["top"] or match["left"], match["bottom"] or match["right"]
        return Fraction(int(match["sign"] + top), int(bottom)), False
    if _DECIMAL.fullmatch(text):
        return Fraction(text), True
    return None


_TYPESETTING = [
    (r"\left", re.compile(r"\\left(?![a-zA-Z.])"), ""),
    (r"\right", re.compile(r"\\right(?![a-zA-Z.])"), ""),
    ("frac", re.compile(r"\\[dt]frac(?![a-zA-Z])"), r"\\frac"),
]
# A space between letters or digits may matter (`\pi r`, `1 4/5`), and so may one beside a point,
# a comma (`3, 500` is two numbers, `3,500` one) or a backslash.
_SPACE = re.compile(r"(?<![a-zA-Z0-9.,\\])\s+(?![.,])|(?<![.,\\])\s+(?![a-zA-Z0-9.,])")


def _plain(text: str) -> str:
    """Without dollar signs around it and typesetting that has no meaning."""
    if len(text) > 2 and text[0] == "$" == text[-1]:
        text = text[1:-1].strip()
    # Looked for first: this runs on the event loop, and most answers have neither.
    if "\\" in text:
        for mark, pattern, replacement in _TYPESETTING:
            if mark in text:
                text = pattern.sub(replacement, text)
    return _SPACE.sub("", text) if len(text.split(maxsplit=1)) > 1 else text
