"""Turns of speech in the form that the rules read: `the biggest slice is dogs, that's 45`.

As `wording`, of which it is the part for running English; each pattern is bounded, and no longer
than a sentence.
"""

from __future__ import annotations

import re

from inward_rewards.images.plain.numbers import NUMBER, NUMBERS

_VALUE = (
    r"(?:(?:a |the )?(?:value|height|total|share|score)(?: of)? )?"
    r"(?:about |around |roughly |nearly |almost |only |just |approximately |some )?"
)
_THAT_IS = re.compile(
    r"\b(?:the |its )?(?:(?:first|second|third|fourth|fifth|sixth|next|last|final|biggest|largest"
    r"|smallest|tallest|shortest|highest|lowest|longest|other|remaining|[a-z]{2,12}-?(?:most|est))"
    r"(?: (?:one|and [a-z]{3,9}est))? )"
    r"(?:(?:chunk|slice|bar|piece|wedge|column|segment|part|box|row|category|sector|portion|share"
    r"|one) )?"
    r"is (?:the |for )?([A-Za-z\ue100-\uf0a0][^,;:.\d]{0,40}?)"
    r"(?:,? (?:that's|that is|which is|whose value is|with|at|valued at|having|and its value is)"
    rf"|,) {_VALUE}(?={NUMBER})",
    re.IGNORECASE,
)
_PLACED = re.compile(
    r"(?:^|(?<=[.!] )|(?<=, )|(?<=\band )|(?<=\bthen ))(?:right )?(?:next to (?:it|them|that"
    r"|this)|at the (?:far |very )?(?:end|bottom|top|left|right)"
    r"|in (?:first|second|third|fourth|last) (?:place|position)|(?:first|last|next) up"
    r"|on the (?:far )?(?:left|right)(?: side)?|after (?:that|it|this))(?: is| comes"
    r"| we have)?,? (?=\S)",
    re.IGNORECASE,
)
"""Where a bar stands, before its name."""
_NEAR = re.compile(
    r",? (?:a (?:little|bit|touch)|slightly|somewhat|much|far|only|just|well|closely)"
    r"(?: (?:bit|little|way))? (?:lower|higher|less|more|below|above|behind|ahead|shorter|taller"
    rf"|smaller|larger|bigger) (?:at|with) (?={NUMBER})",
    re.IGNORECASE,
)
"""`chocolate, a bit lower at 205`."""
_SCALE = re.compile(
    r"\b(vertical|horizontal|x|y)[- ](?:scale|direction|dimension)\b|\b(?:on|along|up) the "
    r"(left|bottom) (?:side )?(?:there(?:'s| is)|we have|you(?:'ll)? see|runs) (?:a "
    r"|the )?(?:scale|axis)\b"
    r"|\b(?:on|in|at|along) the (left|bottom)(?: side| edge)? (?:are"
    r"|is) (?=the [a-z]+(?: in [a-z]+)?(?:,|$| and))",
    re.IGNORECASE,
)
_MAKE = re.compile(
    r"(?:^|(?<=[.!] ))(?:now |then |and )?(?:make|draw|set|give|let) (?!up\b)(?:the "
    rf"|a )?([^,;:.\d]{{1,40}}?)(?: (?:bar|column|line|point))?"
    rf"(?: (?:be|at|to|to be|a (?:height|value) of|up to))? (?={NUMBER}(?:,| and |$| (?:tall"
    r"|high|wide|long|units)))",
    re.IGNORECASE,
)
"""`Make the Northgate bar 420 tall`."""
_THROUGH = re.compile(
    r"(?::\s*)?\b(?:go|goes|going|pass|passes|passing|run|runs) (?:through|via) "
    rf"(?:the (?:points|values) )?(?={NUMBER})",
    re.IGNORECASE,
)
_HAS_LIST = re.compile(
    r"(?:^|(?<=[.;] ))([A-Z\ue100-\uf0a0][\w&-]{0,30}(?: [\w&-]{1,20}){0,2}?) (?:has|have|had"
    r"|shows?|reads?) "
    rf"(?={NUMBER}, {NUMBER}(?:,| and))"
)
"""`Friday has 12, 30 and 25`"""
_IN_ROW = re.compile(
    r"\b(?:in|for) the ([\w\ue100-\uf0a0-]{1,30}(?: [\w-]{1,20})?) (?:row|column)s?,? (?:(?:the"
    r" )?(?:cells|values"
    rf"|numbers|entries) |they |it |we )?(?:reads?|are|is|shows?|have|has|holds?|see):?"
    rf" (?={NUMBER})",
    re.IGNORECASE,
)
"""`in the 2019 row the cells read 3, 4`"""
_COUNTED_FOR = re.compile(
    rf"({NUMBER}) (?:for|in|between|at|from) (\d[\d.,]{{0,12}})\s?(?:-|–|to"
    rf"|and)\s?(\d[\d.,]{{0,12}})\b"
    r"(?!\s?%)"
)
"""Of a histogram: `18 for 100–200`."""
_AT_PAIR = re.compile(rf"(\b(?:at|is|of)|[,;](?: and)?) ({NUMBER}) (?:and|by) ({NUMBER})(?![\w%])")


_ASKED = re.compile(
    r"\b(?:what|which|how)(?:'s| is| are| does| do| were| was)? (?:kind of |type of |the |it |on )*"
    r"(?:the )?((?:chart|title|[xy][- ]axis|values?|data|legend|unit|numbers?|categories"
    r"|series|name"
    r"|heading)\b)[^?.:]{0,40}\?\s*",
    re.IGNORECASE,
)
_ASKED_SHORT = re.compile(r"(?:^|(?<=[.!?] ))([A-Za-z][A-Za-z -]{0,20})\? (?=\S)")
"""`Title? Patients.`"""


def spoken(text: str) -> str:
    """`text` with turns of speech in their plain form."""
    if "?" in text:
        text = _ASKED_SHORT.sub(r"\1: ", _ASKED.sub(r"\1: ", text))
    text = _SCALE.sub(_axis, text)
    text = _THAT_IS.sub(lambda found: f"{_opens(found)}{found[1]}: ", text)
    text = _NEAR.sub(" at ", text)
    if "legend" not in text.lower():
        text = _PLACED.sub(_opens, text)
    text = _HAS_LIST.sub(r"\1: ", text)
    text = _IN_ROW.sub(lambda found: f"{_opens(found)}{found[1]}: ", text)
    return _THROUGH.sub(": ", _MAKE.sub(lambda found: f"{_opens(found)}{found[1]}: ", text))


def _opens(found: re.Match[str]) -> str:
    # A sentence keeps its capital, by which it is told from the one before.
    return "Then " if found[0][0].isupper() else ""


def _axis(found: re.Match[str]) -> str:
    words = (found[1] or found[2] or found[3]).lower()
    name = "x" if words in ("horizontal", "x", "bottom") else "y"
    the = "The" if found[0][0].isupper() else "the"
    return f"{name}-axis" if found[1] else f"{the} {name}-axis shows "


def binned(text: str) -> str:
    """A sentence about a histogram, its counts behind their bins."""
    return _COUNTED_FOR.sub(r"\2-\3: \1", text)


def paired(text: str) -> str:
    """A sentence about points, `at 150 and 48` as a pair."""
    pairs, count = _AT_PAIR.subn(r"\1 (\2, \3)", text)
    return pairs if 2 * count == len(NUMBERS.findall(text)) else text
