"""Numbers and times in words: `eleven gold medals`, `the following year`, put into figures."""

from __future__ import annotations

import re

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen".split()
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {word: i for i, word in enumerate(_UNITS)} | {
    word: 10 * i for i, word in enumerate(_TENS, 2)
}
_ONE = "|".join(sorted(_VALUES, key=len, reverse=True))
_WORDS = re.compile(
    rf"(?<![\w-])(?a:({_ONE})(?:[- ]({'|'.join(_UNITS[1:10])}))?)(?![\w-])"
    r"(?! (?:[a-z-]{1,12} ){0,2}(?:bars?|lines?|columns?|slices?|series|categor|groups?|panels?"
    r"|segments?|curves?|boxes|points|colou?rs?|classes|countries|cities|regions|years|months|axes"
    r"|types|kinds|rows|parts|times|quarters|of (?:the|them))\b)",
    re.IGNORECASE,
)
AT_LEAST = 3
"""Numbers in words in a sentence without figures: fewer count what the chart compares."""
_LATER = re.compile(
    r"(?:^|(?<=[Ii]n )|(?<=[Bb]y )|(?<=[Ff]rom )|(?<=[Ss]ince ))"
    r"(?P<year>(?:19|20)\d\d)(?![\w%]|[.,]\d)"
    r"|\b(?:in |by )?(?P<next>(?:the (?:following|next) year|(?:a|one) year later|the year"
    r" after))\b"
    rf"|\b(?a:(?P<many>{'|'.join(_UNITS[2:])}|\d{{1,2}})) years later\b",
    re.IGNORECASE,
)


def in_figures(text: str) -> str:
    """`text` with its numbers in words as figures, where it has several and no figures."""
    if re.search(r"\d", text) or len(text) > 4000:
        return text
    # `one` alone may be no number: `the red one is the tallest one`.
    if sum(found[0].lower() != "one" for found in _WORDS.finditer(text)) < AT_LEAST:
        return text
    return _WORDS.sub(_figure, text)


def _figure(found: re.Match[str]) -> str:
    first, second = found[1].lower(), (found[2] or "").lower()
    if second and first not in _TENS:
        return found[0]
    return str(_VALUES[first] + _VALUES.get(second, 0))


def with_dates(text: str) -> str:
    """`text` with `the following year` and `two years later` as the years that they are."""
    year = 0

    def dated(found: re.Match[str]) -> str:
        nonlocal year
        if found["year"]:
            year = int(found["year"])
            return found[0]
        if not year:
            return found[0]
        many = found["many"]
        year += 1 if many is None else int(_VALUES.get(many.lower(), 0) or many)
        return f"in {year}"

    return _LATER.sub(dated, text)
