"""A line in the words that the rules know: lead-ins, separators and units put in one form.

It runs before any other rule and after quoted names are put away, so that no name is touched.
"""

from __future__ import annotations

import re

from inward_rewards.images.plain.figures_in_words import with_dates
from inward_rewards.images.plain.phrases import spoken

_LEAD_IN = re.compile(
    r"^(?:alt(?:ernative)?[- ]?text|(?:image |chart |figure |long )?description|transcript|answer"
    r"|(?:sure|certainly|of course|okay|ok)[!.,]?(?= h))\s*[:!,.]\s*",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"^(?:(?:data )?(?:point|bar|slice|segment|column|item|row|category|wedge|sector|dot|marker"
    r"|box|bin|bubble|entry))\s*#?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?\s*(?:[:,.–—]|\s-)\s+",
    re.IGNORECASE,
)
"""`Bar 1:`, `Point 3 of 7:`: what a screen reader counts."""
_SERIES = re.compile(
    r"^(?:(?:data )?series|line|group|dataset|category)\s+(?:[A-Z]|#?\d{1,2})\s*(?:[:–—]|\s-)\s*"
    r"(?=[^\s\d])",
    re.IGNORECASE,
)
_NAME_COMMA = re.compile(r"^([^,:;=()]{1,60}), (?:(?:a )?value(?: of)? |at )?(?=[-−$€£]?\d)")
_AXIS_WORD = re.compile(
    r"\b(?:(?P<a>[xy])[- ]axis \((?:the )?(?:horizontal|vertical|left|bottom)(?: axis)?\)"
    r"|(?:horizontal|vertical) (?:axis )?\(?(?P<b>[xy])(?:[- ]axis)?\)?(?: axis)?(?![\w-]))",
    re.IGNORECASE,
)
_DOTS = re.compile(r"(?<=\d)\s*\.\.\.?\s*(?=-?\d)|(?<=\d)\s*…\s*(?=-?\d)")
_DEGREES = re.compile(r"(?<=\d)\s?(?:°|º|˚|degrees )\s?(?:[CFK]\b|Celsius\b|Fahrenheit\b)?")
_UNIT = re.compile(
    r"(?<=\d)(?:mm|cm|km|kg|mg|ml|ms|ns|GB|MB|TB|GiB|MiB|kWh|MWh|GWh|TWh|kW|MW|GW|Hz|kHz|MHz|GHz"
    r"|dB|mph|kph|pts|pp|ppm|px|C|F|€|£|¥|USD|EUR)(?![\w/])"
)
"""A unit that touches its number."""
_BILLIONS = re.compile(r"([$€£]\s?\d[\d.,]{0,20})\s?(?:B|bn)\b")
_POWER = re.compile(
    r"(?<=\d)\s?[×x*·]\s?10(?:\^\(?([-−+]?\d{1,2})\)?|([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}))(?!\w)"
)
"""`5 × 10^3`, `5 × 10³`."""
_RAISED = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹−", "-+0123456789-")
_BN = re.compile(r"(?<=\d)\s?(bn|mln)\b")
_MILLIONS = re.compile(r"([$€£]\s?\d[\d.,]{0,20})\s?(?:m|mn|mil)\b")
_CURRENCY = re.compile(r"(?<![\w$])(?:US|USD|A|C|CA|NZ|HK)\s?\$(?=\d)|(?<=[$€£]) (?=\d)")
_ARROW = re.compile(r"^([^:→>=]{1,40}?) ?(?:→|->|=>) ?(?=[A-Za-z\ue000-\uf8ff][^→>]*$)")
"""`2000 → Heating 60 %, Lighting 15 %`."""
_ORDER = re.compile(
    r",? \(?(?:from |in order,? )?(?:left to right|right to left|top to bottom|"
    r"bottom to top|clockwise)\)?(?=:)",
    re.IGNORECASE,
)
_PAIRS = re.compile(r"(?<=[\w=])(=[-−$]?\d(?:[\d.,]{0,20}\d)?%?) (?=[A-Za-z][\w-]{0,30}=)")
"""`L1=12 L2=7`: pairs without commas."""
_TILL = re.compile(r"(?<=\d) till (?=\d)")
_ON_AXIS = re.compile(
    r"\bon (?:the )?(?:axis )?([xy])(?:[- ]axis)?,? (?:is|are|there (?:is|are)|we (?:have|see))\b",
    re.IGNORECASE,
)
_AXIS_OF = re.compile(r"\baxis (?:of )?(?:the )?([xy])\b", re.IGNORECASE)
_K = re.compile(r"(?<=\d) k(?=[\s,;:.)]|$)")
_LEGEND = re.compile(r"\s*\((?:the |a |with (?:a |the )?)?(legend[^()]{1,80})\)", re.IGNORECASE)
_SIGN = re.compile(r"(?<![\w])minus (?=\d)")
_XY = re.compile(
    r"\bx\s*(?:[:=]|is|of)?\s*([-−]?\d[\d.,]{0,20}\b)\s*(?:,|and|;|,\s*and)\s*y\s*(?:[:=]|is|of)?"
    r"\s*([-−]?[$€£]?\d(?:[\d.,]{0,20}\d)?%?)",
    re.IGNORECASE,
)
_POINT = re.compile(r"\(\s*([-−]?\d[\d.]{0,20})\s*;\s*([-−]?\d[\d.]{0,20})\s*\)")
_NUM = r"([-−]?\d(?:[\d.]{0,20}\d)?%?)"
_PAIR_LIST = re.compile(rf"\[ ?{_NUM}, ?{_NUM} ?\]")
_RANGE_LIST = re.compile(rf"\b(range|limits|domain|scale|from):? [\[(]{_NUM}, ?{_NUM}[\])]", re.I)
_BETWEEN_NUMBERS = re.compile(r"(?<=[\d%])\s+/\s+(?=[-−$€£]?\d)")


_TEN = re.compile(
    r"(?<![\w.,^×*·])(?<![×*·] )(?:(?<!\()|(?=[^,)]{4,9},))"
    r"([-−]?)10(?:\^\(?([-−+]?\d{1,2})\)?|([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}))(?![\w^]|\.\d)"
)
"""`10^-3`, but for the unit `(10^-3)`; a point may be `(10^2, 3)`."""


def _nested(text: str) -> str:
    """`range [0, 300]` as words, `[[1, 2], [3, 4]]` as points."""
    text = _RANGE_LIST.sub(r"\1 \2 to \3", text)
    if len(_PAIR_LIST.findall(text)) >= 2:
        text = _PAIR_LIST.sub(r"(\1, \2)", text)
    return re.sub(r"\[ ?(?=\()|(?<=\)) ?\]", "", text)


def powers(text: str) -> str:
    """`text` with `5 × 10^3` and `10³` as computers write them."""
    text = _POWER.sub(lambda m: f"e{(m[1] or m[2]).translate(_RAISED)}", text)
    return _TEN.sub(lambda m: f"{m[1]}1e{(m[2] or m[3]).translate(_RAISED)}", text)


def _axis_is(found: re.Match[str]) -> str:
    # A sentence keeps its capital: it begins there.
    return f"{'The' if found[0][0] == 'O' else 'the'} {found[1]}-axis is"


def normal(text: str) -> str:
    """`text` in the form that the rules are written for."""
    text = spoken(with_dates(_SERIES.sub("", _LEAD_IN.sub("", text))))
    text = _nested(text)
    text = _AXIS_WORD.sub(lambda found: f"{found['a'] or found['b']}-axis", text)
    text = _ON_AXIS.sub(_axis_is, _AXIS_OF.sub(r"\1-axis", text))
    text = _ORDER.sub("", _ARROW.sub(r"\1: ", text))
    text = _PAIRS.sub(r"\1, ", text)
    text = _K.sub("k", _TILL.sub(" to ", text))
    if legend := _LEGEND.search(text):
        text = f"{text[: legend.start()]}{text[legend.end() :]}".rstrip(" .") + f". The {legend[1]}"
    counted = _COUNTED.match(text)
    if counted:
        text = text[counted.end() :]
        text = _NAME_COMMA.sub(r"\1: ", text, count=1)
    text = powers(text)
    text = _BN.sub(lambda m: " billion" if m[1] == "bn" else " million", text)
    text = _SIGN.sub("-", _UNIT.sub("", _DEGREES.sub(" ", _DOTS.sub(" to ", text))))
    text = _MILLIONS.sub(r"\1 million", _BILLIONS.sub(r"\1 billion", _CURRENCY.sub("$", text)))
    text = _POINT.sub(r"(\1, \2)", _XY.sub(r"(\1, \2)", text))
    text = _BETWEEN_NUMBERS.sub(", ", text)
    if " | " in text:
        text = text.replace(" | ", "; " if re.search(r"\d", text.partition(" | ")[0]) else ". ")
    if text.count(" / ") >= 2:
        text = text.replace(" / ", ". ")
    return text.strip()
