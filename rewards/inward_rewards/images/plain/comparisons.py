"""What compares numbers of places and is none of one."""

from __future__ import annotations

import re

from inward_rewards.images.plain.numbers import NUMBER, NUMBERS

_OF_BY = (
    r"of (?:about |around |roughly |nearly |almost |approximately |over |only |just )?"
    rf"{NUMBER}(?! (?:to|in|for)\b)"
)
_COMPARED = re.compile(
    rf"{NUMBER}(?: (?:times|units?|points?|percentage points))? (?:more|less|fewer|higher|lower"
    rf"|greater|larger|smaller|bigger|taller|shorter)\b"
    rf"|{NUMBER} times (?!in\b)"
    rf"|\b(?:ris|rose|increas|gr[eo]w|fall|fell|drop|declin|decreas|climb|jump|exceed)[a-z]*"
    rf"(?: [\w-]+){{0,2}} by (?:about |around |roughly |nearly |almost )?"
    rf"(?!(?:1[5-9]|20|21)\d\d\b){NUMBER}"
    rf"|\b(?:increas|ris|declin|decreas|drop|fall|chang|differenc|gap|margin)[a-z]* {_OF_BY}"
    rf"|\b(?:only|all|no|every|each|both)\b[^,;:.\d]{{1,40}}\b(?:above|below|over|under|exceeds?)"
    rf" {NUMBER}",
    re.IGNORECASE,
)
"""A difference, a change or a bound: no number of a place."""
_MAY_COMPARE = re.compile(rf"\b(?:gain|loss|growth|lead)[a-z]* {_OF_BY}", re.IGNORECASE)
"""The same, unless it is what the chart shows: `Q1 had a gain of 12, Q2 a loss of 5`."""
_BY = re.compile(
    r"\bby (?:about |around |roughly |nearly |almost )?"
    rf"(?!(?:1[5-9]|20|21)\d\d\b){NUMBER}(?: (?:percentage )?points?| units?)? (?=to\b)",
    re.IGNORECASE,
)
"""`rose by 5 to 20`: what follows it is the number."""
SUMMED = re.compile(
    r"^(?:and )?(?:together|combined|altogether|taken together)\b(?! ?[:=])"
    r"|\b(?:difference|gap) between\b",
    re.IGNORECASE,
)
"""Of several places at once: no number of one."""

TOTAL = re.compile(r"^(?:the |in )?(?:overall |combined |grand )?(?:total|sum)s?\b", re.IGNORECASE)
"""Of the parts of a stack."""


def levels(text: str) -> str:
    """`text` without the clauses that compare."""
    text = _BY.sub("", text)
    if not (_COMPARED.search(text) or _MAY_COMPARE.search(text)):
        return text
    told = [c for c in re.split(r"(?<=[,;])\s", text) if not _COMPARED.search(c)]
    plain = " ".join(c for c in told if not _MAY_COMPARE.search(c))
    return plain if NUMBERS.search(plain) else " ".join(told)
