"""What people and models say around numbers, taken out: `It can be seen that`, `, the shortest,`.

As `phrases`, of which it is the part for what says nothing of the chart itself; intervals in
brackets are put in one form.
"""

from __future__ import annotations

import re

from inward_rewards.images.plain.numbers import COLOR, NUMBER
from inward_rewards.images.plain.text import NAME

_SAID_FIRST = re.compile(
    r"(?:^|(?<=[.!?] )|(?<=[;:] ))(?:(?:and|but|also),? )?(?:(?:it|we|you|one) (?:can|could|may) "
    r"(?:also |clearly |easily )?(?:be )?(?:seen?|noted?|observed?|noticed?)(?: (?:from|in) the "
    r"(?:chart|graph|figure|diagram|plot|picture))? that|it (?:is|was) (?:clear|evident|apparent"
    r"|obvious|noticeable|notable|striking|shown|estimated)(?: (?:from|in) the (?:chart|graph"
    r"|figure|diagram|plot))? that|(?:we|you) (?:can )?see that|as (?:can be seen|(?:is )?shown"
    r"|we can see|the (?:chart|graph|figure) shows),"
    r"|(?:please )?note that|(?:interestingly|notably|clearly|specifically|in particular"
    r"|in detail|in contrast|by contrast|on the other hand|to begin with|first of all|firstly"
    r"|secondly|thirdly|lastly|next|similarly|likewise|conversely|moreover|furthermore|meanwhile"
    r"|in addition|additionally|for (?:example|instance)|unsurprisingly|surprisingly),"
    r"|regarding the (?:figures|data|numbers|values),) (?=\S)",
    re.IGNORECASE,
)
_RANKED = re.compile(
    r", (?:(?:which|who) (?:is|was|has) |being |by far |easily )?the (?:(?:second|third"
    r"|fourth"
    r"|fifth|next|last|very|overall|single|clear)[- ])?(?:[a-z]{2,10}est|most [a-z]{3,12}"
    r"|least [a-z]{3,12}|runner-up|leader|winner|record)(?: (?!at\b|with\b|of\b|is\b)[a-z]{2,12})"
    r"{0,3}, (?=(?:at|with|has|had|is|was|reach|stand|on|scor|account|having|of)"
    rf"[a-z]* |{NUMBER})",
    re.IGNORECASE,
)
"""`Channel, the shortest, at 30.1`."""
_CORRECTED = re.compile(
    rf"(?:just |a little |slightly )?(?:under |over |above |below |about |around )?{NUMBER}"
    rf",? (?:say|or rather|more precisely|to be precise|to be exact|precisely|exactly),? "
    rf"(?={NUMBER})",
    re.IGNORECASE,
)
"""`just under 31, say 30.96`."""
_HEDGED = re.compile(
    r"(?:(?<![\d%]),)? (?:I'd say|I would say|I think|I guess|I'd guess|let's say|maybe"
    r"|perhaps|probably|possibly|something like|somewhere around|somewhere near|an estimated"
    r"|in the region of|in the vicinity of"
    rf"|or thereabouts|give or take) (?:about |around )?(?={NUMBER})",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r", (?:on the other hand|on the contrary|however|in contrast|by contrast|by comparison"
    r"|in comparison|meanwhile|in turn|too|for its part|instead|of course|again|then|finally"
    r"|similarly|conversely|though), (?=[a-z])",
    re.IGNORECASE,
)
"""`Bicycle trips, on the other hand, grew`."""
_COMMA_LIST = re.compile(rf"\s*(?:and )?([^,:;\d]{{1,40}}), (?=~?{NUMBER}[^,:;\d]{{0,20}}$)")
"""`English only, 62 %; Spanish, 19 %`."""
_STEPS = re.compile(
    r",? (?:\w+ )?(?:in|into|with|by|at) (?:intervals?|bins|steps|increments|classes) "
    rf"of (?:width )?{NUMBER}(?: [a-z]{{2,12}})?",
    re.IGNORECASE,
)
_FRACTION = re.compile(
    r"(?<![\w-])(?<!first )(?<!second )(?<!other )(?<!top )(?<!bottom )(?<!upper )(?<!lower )"
    r"(?:(?:a (?:bit|little)|slightly|just|nearly|almost|about|roughly|around|approximately|well"
    r"|somewhat|not quite|exactly) )?(?:(?:less|more) than |under |over )?"
    r"(?:(?:(?:an?|one) )?half|(?:an?|one|two|three|four) (?:halves|thirds?|quarters?|fifths?"
    r"|sixths?"
    r"|tenths?))"
    r"(?: of (?:it|them|all|the (?:total|whole|pie|chart)))?(?:,| \(| at|:| -| –| —) ?"
    rf"(?:at |about |around |or )?({NUMBER})(?<=[%t])(\))?,?",
    re.IGNORECASE,
)
"""`A bit less than half, 46 percent, is Germany`; no `Half: 5`, which is a name."""
_INTERVAL = re.compile(
    r"(?<=[\d%A-Za-z²³]) [(\[](?:\d\d(?:\.\d)? ?% )?(?:confidence interval|credible interval|ci"
    r"|interval|range|iqr"
    r"|min-max)?[:,=]? ?(-?\d(?:[\d.,]{0,20}\d)?%?) ?[-–—] ?"
    r"(-?\d(?:[\d.,]{0,20}\d)?%?)[)\]]",
    re.IGNORECASE,
)
"""`(95% CI 148–152)`."""
_NOTED_COLOR = re.compile(
    r"(?<=[a-z%\d)]), that(?:'s| is) (?:the )?(?:[a-z]{3,12} ){1,2}(?:piece|slice|bar|one|part|line"
    r"|wedge|column|segment)\b",
    re.IGNORECASE,
)
_FROM_TOP = re.compile(
    r"(?:^|(?<=[.!?] ))(?:(?:reading|going|listed|shown|ordered|moving) )?(?:from (?:the"
    r" )?(?:top|left|bottom"
    r"|right|largest|smallest|highest|lowest|biggest|first)(?: (?:to|down to) (?:the )?(?:bottom"
    r"|top|right|left|smallest|largest|lowest|highest|last))?|in (?:descending|ascending|this"
    r"|that|decreasing|increasing) order)(?: (?:we have|there (?:is|are)|they are|the (?:bars"
    r"|values|categories|slices) are))?\s?[:,] ?(?=\S)",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    rf"(?:^|(?<=[,;] )|(?<=[,;] and ))(?!(?:and|while|the legend)\b)([^,;:.]{{0,60}}?)({NUMBER})"
    rf",? (?:in )?(?:(?:{COLOR.pattern}),? )?(?:and )?(?:is |which is )?(?:labell?ed|called"
    rf"|named|tagged) (?:as )?(?:the )?"
    rf"({NAME}|[A-Z][\w&-]{{0,20}}(?: [\w&-]{{1,20}}){{0,3}})(?=[,;.]|$)"
)
"""`everyone else is the last 12 percent, grey, labelled Other`."""
_OF_A_LINE = re.compile(r"\b(?:ax[ei]s|lines?|rules?|scale|region|area|band|threshold)\b", re.I)
_SUMMARY = re.compile(
    r"^(?:in (?:summary|conclusion|short|general|total|sum)|overall|to (?:sum up|summari[sz]e"
    r"|conclude)|summing up|all in all|on the whole|altogether|taken together|generally)\b(?!"
    r" ?[:=])",
    re.IGNORECASE,
)


def without_asides(text: str) -> str:
    """`text` without what is said around its numbers."""
    text = _BETWEEN.sub(" ", _HEDGED.sub(" ", _SAID_FIRST.sub("", text)))
    parts = text.split(";")
    if len(parts) >= 2 and all(map(_COMMA_LIST.match, parts)):
        text = ", ".join(_COMMA_LIST.sub(r"\1: ", part).strip() for part in parts)
    text = _STEPS.sub("", text)
    text = _FROM_TOP.sub("", text)
    text = _RANKED.sub(" ", _NOTED_COLOR.sub("", text))
    if not _OF_A_LINE.search(text):
        text = _LABELLED.sub(_named, text)
    text = _FRACTION.sub(r"\1", _CORRECTED.sub("", text))
    text = re.sub(r",? (?:and )?in (?:the same|that|this) order\b", "", text)
    return _INTERVAL.sub(_spread, text)


def _spread(found: re.Match[str]) -> str:
    # What stands in brackets behind a number, or behind its unit, is how far it reaches.
    before = found.string[max(0, found.start() - 40) : found.start()]
    behind = re.search(rf"{NUMBER}(?: [A-Za-z/%°µ²³-]{{1,10}})?$", before)
    return f" ({found[1]} to {found[2]})" if behind else found[0]


def _named(found: re.Match[str]) -> str:
    return f"{found[found.lastindex or 3]}{': ' if found.start() == 0 else '='}{found[2]}"


def sums_up(text: str) -> bool:
    """Whether a sentence repeats in short what was told."""
    return _SUMMARY.match(text) is not None
