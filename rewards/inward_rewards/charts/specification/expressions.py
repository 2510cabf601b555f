"""The expression language that a specification may use: arithmetic over `datum`, and no more."""

from __future__ import annotations

import re

from inward_rewards.charts.specification import limits
from inward_rewards.charts.specification.limits import names
from inward_rewards.charts.specification.refusal import refuse, show

CONSTANTS = names("datum true false null PI E")
MEND = "write the result as a field of the data"
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
        |(?P<name>[A-Za-z_]\w*)
        |(?P<string>'[^'\\]*'|"[^"\\]*")
        |(?P<sign>===|!==|==|!=|<=|>=|&&|\|\||[-+*/%<>!?:,.()\[\]]))""",
    re.VERBOSE,
)
_FORMATS = re.compile(r"\b(?:time)?format\s*\(", re.IGNORECASE)
_THREE_DIGITS = re.compile(r"""(['"])[^'"]*\d{3}[^'"]*\1""")
_OPERAND_END = re.compile(r"[\w)\]'\"]")


def check_expression(text: str) -> None:
    """Refuses what is not arithmetic, comparison or a listed function over `datum`."""
    if len(text) > limits.MAX_EXPRESSION:
        refuse(f"an expression is longer than {limits.MAX_EXPRESSION} characters: {MEND}")
    if _FORMATS.search(text) and _THREE_DIGITS.search(text):
        refuse(f"expression {show(text)}: a format of three digits in a row is not allowed: {MEND}")
    position, before = 0, ""
    while position < len(text.rstrip()):
        token = _TOKEN.match(text, position)
        if token is None:
            sign = text[position:].strip()[0]
            refuse(f"expression {show(text)}: {sign!r} is not allowed: {MEND}")
        position, word = token.end(), token.group().strip()
        if token["name"] and before != "." and word not in limits.FUNCTIONS | CONSTANTS:
            refuse(
                f"expression {show(text[:40])}: {word!r} is not allowed: {MEND}, or use "
                f"{', '.join(sorted(limits.FUNCTIONS))}"
            )
        # A slash after an operator would open a regular expression.
        if word == "/" and not _OPERAND_END.match(before[-1:]):
            refuse(f"expression {show(text)}: regular expressions are not allowed: {MEND}")
        before = word


def check_format(text: str) -> None:
    """Refuses d3 formats that pad without end or write control characters."""
    if re.search(r"\d{3}", text) or (text.endswith("c") and "%" not in text):
        refuse(
            f"format {show(text)} is not allowed: write one of fewer than three digits in a row, "
            "and not of type c"
        )
