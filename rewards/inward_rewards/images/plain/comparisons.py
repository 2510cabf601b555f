"""What compares numbers of places and is none of one."""

from __future__ import annotations

import re

from inward_rewards.images.plain.numbers import NUMBER

_COMPARED = re.compile(
    rf"{NUMBER}(?: (?:times|units?|points?|percentage points))? (?:more|less|fewer|higher|lower"
    rf"|greater|larger|smaller|bigger|taller|shorter)\b"
    rf"|{NUMBER} times (?!in\b)"
    rf"|\b(?:ris|rose|increas|gr[eo]w|fall|fell|drop|declin|decreas|climb|jump|exceed)[a-z]*"
    rf"(?: [\w-]+){{0,2}} by (?:about |around |roughly |nearly |almost )?"
    rf"(?!(?:1[5-9]|20|21)\d\d\b){NUMBER}"
    r"|\b(?:increas|ris|declin|decreas|drop|fall|gain|loss|chang|growth|differenc|gap|lead"
    rf"|margin)[a-z]* of (?:about |around |roughly |nearly |almost |approximately |over "
    rf"|only |just )?{NUMBER}(?! (?:to|in|for)\b)"
    rf"|\b(?:only|all|no|every|each|both)\b[^,;:.\d]{{1,40}}\b(?:above|below|over|under|exceeds?)"
    rf" {NUMBER}",
    re.IGNORECASE,
)
"""A difference, a change or a bound: no number of a place."""
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
    if not _COMPARED.search(text):
        return text
    return " ".join(c for c in re.split(r"(?<=[,;])\s", text) if not _COMPARED.search(c))
