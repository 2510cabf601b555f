"""The kind of a chart and its title."""

from __future__ import annotations

import re
from collections.abc import Iterable

from inward_rewards.images.plain.chart import Kind, PlainChart
from inward_rewards.images.plain.numbers import NUMBERS
from inward_rewards.images.plain.state import State, Unquote
from inward_rewards.images.plain.text import HOUR, NAME, sentences

_NOUN = r"(?:charts?|graphs?|plots?|diagrams?|figures?|visuali[sz]ations?|graphics?)"
_OF = "(?: is)?(?:,| with| of| made of| of the| in the form of)?"
_A = "(?: the| some| several| [a-z]{3,10})?"
_SHOWN = (
    r"(?:plotted|drawn|charted|displayed|depicted|shown|presented|traced) (?:as|by|with|using)"
    r" (?:an? )?(?:[a-z-]{2,12} ){0,2}"
)
_FORM = "(?: type| form)?"
_SORTS: tuple[tuple[str, Kind], ...] = (
    (rf"box(?:[- ]?and[- ]?whiskers?)?[- ]?{_NOUN}|whisker {_NOUN}|boxes and whiskers", "box"),
    (rf"heat[- ]?maps?|(?:confusion|correlation) matri(?:x|ces)|matrix {_NOUN}", "cell"),
    (r"histograms?", "bar"),
    (rf"(?:pie|donut|doughnut|ring)(?:[- ]?{_NOUN})?", "arc"),
    (rf"scatter(?:ed|ing)?(?:[- ]?{_NOUN})?|(?:bubble|dot|strip|swarm)[- ]?{_NOUN}", "point"),
    (rf"(?:step(?:ped)?|staircase)[- ]?(?:line[- ]?)?(?:{_NOUN}|lines?)", "step"),
    (rf"area[- ]?{_NOUN}", "area"),
    (rf"(?:bar|column)s?[- ]?{_NOUN}|(?:grouped|stacked|clustered|horizontal|vertical)"
     rf" (?:bars?|columns?)(?:[- ]?{_NOUN})?\b(?! of)", "bar"),
    (rf"(?:line|curve|time[- ]series|trend[- ]line)s?[- ]?{_NOUN}", "line"),
    # The other way round: a graph of lines, chart with bars, diagram of pie type.
    (rf"{_NOUN}{_OF}{_A} (?:bars?|columns?){_FORM}", "bar"),
    (rf"{_NOUN}{_OF}{_A} lines?{_FORM}", "line"),
    (rf"{_SHOWN}(?:bars?|columns?)", "bar"),
    (rf"{_SHOWN}(?:lines?|curves?)", "line"),
    (rf"{_NOUN}{_OF} (?:pie|donut){_FORM}", "arc"),
    (rf"{_NOUN}{_OF} scatter(?:ed|ing)?{_FORM}", "point"),
)  # fmt: skip
_KINDS = [(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), kind) for pattern, kind in _SORTS]
_MARKS: tuple[tuple[str, Kind], ...] = (
    ("bars?|columns?", "bar"), ("lines?|curves?", "line"), ("slices?|wedges?|sectors?", "arc"),
    ("boxes", "box"), ("steps", "step"),
)  # fmt: skip
_COUNT = (
    "(?:there(?: is|['’]s) an?|[1-9][0-9]?|one|two|three|four|five|six|seven|eight|nine|ten"
    "|horizontal|vertical|side-by-side"
    "|(?:solid|dashed|coloured|colored))"
)
_DRAWN = [
    (re.compile(rf"(?:^|\b{_COUNT} )(?:[a-z-]+ )?(?:{words})\b", re.IGNORECASE), kind)
    for words, kind in _MARKS
]
"""What is drawn, where no statement names the kind: `two lines`, `horizontal bars show`."""
BARE_KINDS: dict[str, Kind] = {
    "bar": "bar", "bars": "bar", "column": "bar", "line": "line", "lines": "line", "area": "area",
    "scatter": "point", "points": "point", "pie": "arc", "donut": "arc", "step": "step",
    "histogram": "bar", "heatmap": "cell", "box": "box",
}  # fmt: skip

_TITLES = (
    re.compile(rf"\b(?:titled|entitled|called|named|headed|captioned)\s*:?\s*({NAME})"),
    re.compile(
        rf"\b(?:title|heading|headline|name is|name:)\b[^.;{NAME[1:-1]}]{{0,30}}({NAME})",
        re.IGNORECASE,
    ),
    re.compile(
        rf"^[^.;:]{{0,40}}?({NAME})[^.;:{NAME[1:-1]}]{{0,24}}?\b(?:at|across|along"
        r"|on) (?:the )?(?:very )?top\b"
    ),
    re.compile(rf"\bit (?:says|reads)\s*:?\s*({NAME})", re.IGNORECASE),
    re.compile(
        r"\b(?:titled|entitled|called|named)\s*:?\s*([A-Z](?:[^.,;:]|(?<=\bvs)\.){"
        r"2,100}?)(?<!\bvs)(?=\s+(?:with|that|which|showing|has|at the (?:top|bottom|left"
        r"|right|cent))\b|[.,;:]|$"
        r")"
    ),
    re.compile(r"\btitle\s*:\s*([^;,.]{2,100})", re.IGNORECASE),
    re.compile(
        r"^\W*(?:(?:the|its) )?(?:chart |main )?title\s*(?::|is|=|reads|says)?\s+([^;]{2,150})$",
        re.IGNORECASE,
    ),
)
_TITLE_S_LOOK = re.compile(
    r"^\W*(?:[Tt]he |[Ii]ts )?(?:chart |main )?[Tt]itle(?:'s (?:font|size|text))? "
    r"(?:(?:is|has|stands|sits|at|in) )+(?:a (?:font|size) (?:size )?of )?"
    r"(?:\d+(?:\.\d+)? ?-?(?:px|pixels?|pt|points?)\b|#[0-9a-fA-F]{3}"
    r"|(?:left|right|cent(?:er|re)d?|bold|italic|aligned|above|below|on the|to the|at the)\b"
    r"[^\"“‘']*$)"
)
"""`The title is 14 pixels high`, `The title is centred above the plot`: no title is told."""
_TYPE = re.compile(
    r"^\W*(?:(?:chart|plot|graph|figure)[ _-]?)?(?:type|kind)(?: of (?:chart|plot|"
    r"graph))?\s*[:=]\s*"
    r"(.{1,80})",
    re.IGNORECASE,
)
_HOUR = re.compile(HOUR, re.IGNORECASE)
_AXIS = re.compile(r"\bax[ei]s\b", re.IGNORECASE)
_LIES = re.compile(
    r"\bhorizontal[- ](?:[a-z-]+ ){0,2}?(?:bar|column|chart|dot|box|graph|plot|histogram)"
    r"|\b(?:bars|columns|boxes)\b[^.;]{0,40}? horizontal(?:ly)?\b(?! axis| grid| line)"
    r"|\b(?:bars?|chart)\b[^.;]{0,30} (?:(?:lying|lie|lies|turned|drawn|laid) )?(?:on (?:its"
    r"|their) sides?"
    r"|sideways)\b"
)
_BESIDE_KIND = re.compile(r"^\s*[:,–—-]\s*([A-Z](?:[^.,:;=()\d]|\b\d{4}\b){2,60})$")
"""`Scatter plot: Iris petals`, once the kind is taken out."""
_MARKED = re.compile(
    r"^([^.:;()]{2,100}?) (?:\((?:the )?title\)|is the title\b(?: of (?:the|"
    r"this)\b)?)[.,;:]?\s*(.*)$",
    re.IGNORECASE,
)
_CAPTION = re.compile(r"^fig(?:ure|\.)?\s*\d+[a-z]?\s*[.:|;–—-]?\s*(.*)$", re.IGNORECASE)


def first_kind(lines: Iterable[str]) -> PlainChart:
    """The kind of chart that a description names first, wherever it stands; else what it says is
    drawn. A later statement may refer to it before it is named."""
    chart = PlainChart()
    kept = [sentence for text in lines for sentence in sentences(text)]
    for text in kept:
        typed = _TYPE.match(text)
        if typed is None or not typed_kind(typed[1], chart):
            bare = text.lower().strip(" .:").partition(".")[0]
            chart.kind = BARE_KINDS.get(bare)
            kind_of(text, chart)
        if chart.kind is not None:
            return chart
    # Sentences with numbers first: those tell what is drawn.
    for text in sorted(kept, key=lambda text: NUMBERS.search(text) is None):
        drawn = [(m.start(), kind) for rule, kind in _DRAWN if (m := rule.search(text))]
        if drawn:
            chart.kind = min(drawn)[1]
            return chart
    return chart


def typed_kind(words: str, chart: PlainChart) -> bool:
    """Notes the kind behind `Type:`."""
    kind_of(words, chart)
    parts = re.findall(r"[a-z]+", words.lower())
    if chart.kind is None and parts:
        chart.kind = BARE_KINDS.get(parts[-1]) or BARE_KINDS.get(parts[0])
        chart.histogram, chart.donut = parts[0].startswith("hist"), "donut" in parts
    variety(words.lower(), chart)
    return chart.kind is not None


def kind_of(text: str, chart: PlainChart) -> str:
    """Notes the kind of chart that a sentence names; the sentence without it."""
    found = [
        (match.start(), match, kind) for pattern, kind in _KINDS if (match := pattern.search(text))
    ]
    if not found:
        return text
    start, match, kind = min(found, key=lambda item: (item[0], -item[1].end()))
    if chart.kind is None:
        chart.kind = kind
        words = match.group().lower()
        chart.histogram = words.startswith("histogram")
        chart.donut = bool(re.match(r"don|dough|ring", words))
    told = text.lower()
    variety(told, chart)
    return f"{text[:start]} {text[match.end() :]}"


def variety(told: str, chart: PlainChart) -> None:
    """What a sentence in lower case says of bars, stacks and dots."""
    if _LIES.search(told):
        chart.horizontal = True
    if re.search(r"\bstacked\b(?! (?:one )?(?:under|below|beneath|underneath|vertically))", told):
        chart.stack = chart.stack or "zero"
    elif re.search(r"grouped|clustered|side[- ]by[- ]side|next to each other", told):
        chart.stack = chart.stack or "group"
    if re.search(r"\b(?:strip|swarm|beeswarm|jitter(?:ed)?)[- ]?(?:plot|chart|points)\b", told):
        chart.strip = True
        chart.ticks = chart.ticks or bool(re.search(r"\b(?:ticks|strokes|dashes)\b", told))
    if re.search(
        r"\b(?:with|has|have|and) (?:round |circular )?(?:markers|dots|points)\b|m"
        r"arked (?:by|with) (?:dots|markers|points)",
        told,
    ):
        chart.dots = True
    if re.search(
        r"(?:values?|numbers?|figures?) (?:is|are) (?:printed|written|shown|given|"
        r"labelled)|(?:printed|written) (?:above|on|at|in|next to|beside) (?:each|"
        r"the|its)",
        told,
    ):
        chart.printed = True


def title_of(text: str, chart: PlainChart, unquote: Unquote) -> str:
    """Notes the title; the sentence without it."""
    if re.match(r"^\W*(?:sub-?title|second line)", text, re.IGNORECASE):
        chart.subtitle = unquote(
            _quoted_or(re.sub(r"^\W*\S+( of the title)?\s*(?:is|reads|says|:)?\s*", "", text))
        )
        return ""
    subtitle = re.search(rf"\bsub-?title\b[^{NAME[1:-1]}]{{0,20}}({NAME})", text, re.IGNORECASE)
    if subtitle:
        chart.subtitle = unquote(subtitle[1])
        text = text[: subtitle.start()] + text[subtitle.end() :]
    if chart.title or re.match(r"^\W*(?:the |a |an )?legend\b", text, re.IGNORECASE):
        return text
    if _TITLE_S_LOOK.match(text):
        return text
    if re.search(
        r"\b(?:axis|legend|panel|colou?r scale|series|sizes)\b", text, re.IGNORECASE
    ) and not re.match(r"^\W*title", text, re.IGNORECASE):
        rules: tuple[re.Pattern[str], ...] = (
            _TITLES[:2]
            if re.search(
                rf"(?:chart|plot|graph|map|diagram|figure|histogram)\b[^.]{{0,60}}\b(?:titled?|entitled|called"
                rf"|named)\s*:?\s*{NAME}",
                text,
            )
            else ()
        )
    else:
        rules = _TITLES
    for rule in rules:
        if (match := rule.search(text)) and not _HOUR.fullmatch(unquote(match[1])):
            # A quoted title keeps its full stop.
            quoted = re.fullmatch(NAME, match[1])
            chart.title = unquote(match[1]) if quoted else unquote(match[1]).strip(" .")
            return f"{text[: match.start()]} {text[match.end() :]}"
    return text


def loose_title(text: str, state: State) -> str:
    """A quoted text beside the kind of chart is its title; words without a verb may be."""
    chart = state.chart
    if chart.title:
        return text
    match = re.match(rf"^\W*({NAME})|^[^:]{{0,40}}?\W({NAME})", text)
    if match and not _AXIS.search(text[: match.end()]):
        found = match[1] or match[2]
        if _HOUR.fullmatch(state.unquote(found)):
            return text
        chart.title = state.unquote(found)
        return text.replace(found, " ", 1)
    if match is None and (bare := _BESIDE_KIND.match(text)):
        state.header = state.header or bare[1].strip()
        return " "
    return text


def marked_title(text: str, state: State) -> str:
    """`Shoe sizes sold (title)`; the sentence without it."""
    match = _MARKED.match(text)
    if match is None:
        return text
    state.chart.title = state.chart.title or state.unquote(match[1]).strip()
    return match[2]


def caption(text: str, state: State) -> str:
    """`Figure 2: name` without `Figure 2:`; a name that is no sentence may be the title."""
    match = _CAPTION.match(text)
    if match is None:
        return text
    rest = match[1].strip()
    named = any(pattern.search(rest) for pattern, _ in _KINDS)
    if named or not rest or re.search(NAME, rest) or NUMBERS.search(rest):
        return rest
    state.header = state.header or re.split(r" as a function of | \(|;", rest)[0].strip(" .")
    return ""


def _quoted_or(text: str) -> str:
    match = re.search(NAME, text)
    return match.group() if match else text.strip(" .:")
