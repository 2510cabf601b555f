"""The kind of a chart and its title."""

from __future__ import annotations

import re

from inward_rewards.images.plain.chart import Kind, PlainChart
from inward_rewards.images.plain.numbers import NUMBERS
from inward_rewards.images.plain.state import Unquote
from inward_rewards.images.plain.text import NAME

KINDS: tuple[tuple[str, Kind], ...] = (
    (r"box[- ]?(?:and[- ]whiskers?[- ]?)?(?:plots?|charts?)|boxes and whiskers", "box"),
    (r"heat[- ]?maps?|matrix (?:plot|chart)", "cell"),
    (r"histograms?", "bar"),
    (r"(?:pie|donut|doughnut|ring)(?:[- ](?:charts?|graphs?|plots?|diagrams?))?", "arc"),
    (r"scatter[- ]?(?:plots?|charts?|graphs?|diagrams?)?|bubble (?:charts?|plot"
r"s?)|dot[- ]?(?:plots?|charts?)|strip plots?", "point"),
    (r"step(?:ped)?[- ](?:charts?|lines?|plots?|graphs?)", "step"),
    (r"area (?:charts?|plots?|graphs?)", "area"),
    (r"(?:bar|column)s?[- ](?:charts?|plots?|graphs?|diagrams?)|(?:grouped|stac"
r"ked|clustered|horizontal|vertical) (?:bars|columns)", "bar"),
    (r"line[- ](?:charts?|plots?|graphs?|diagrams?)", "line"),
)  # fmt: skip
_KINDS = [(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), kind) for pattern, kind in KINDS]
BARE_KINDS: dict[str, Kind] = {
    "bar": "bar", "bars": "bar", "column": "bar", "line": "line", "lines": "line", "area": "area",
    "scatter": "point", "points": "point", "pie": "arc", "donut": "arc", "step": "step",
    "histogram": "bar", "heatmap": "cell", "box": "box",
}  # fmt: skip

_TITLES = (
    re.compile(rf"\b(?:titled|entitled|called|named|headed|captioned)\s*:?\s*({NAME})"),
    re.compile(rf"\b(?:title|heading|headline)\b[^.;{NAME[1:-1]}]{{0,30}}({NAME})", re.IGNORECASE),
    re.compile(rf"\bit (?:says|reads)\s*:?\s*({NAME})", re.IGNORECASE),
    re.compile(
        r"\b(?:titled|entitled|called|named)\s*:?\s*([A-Z](?:[^.,;:]|(?<=\bvs)\.){"
        r"2,100}?)(?<!\bvs)(?=\s+(?:with|that|which|showing|has|at the)\b|[.,;:]|$"
        r")"
    ),
    re.compile(r"\btitle\s*:\s*([^;,.]{2,100})", re.IGNORECASE),
    re.compile(r"^\W*(?:chart |main )?title\s*(?::|is|=)?\s+([^;]{2,150})$", re.IGNORECASE),
)
_CAPTION = re.compile(r"^(?:figure|fig\.?)\s*\d*\s*[.:]?\s*(.*)$", re.IGNORECASE)


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
    if "horizontal" in told and not re.search(r"horizontal (?:ax|grid|line|dash)", told):
        chart.horizontal = True
    if "stacked" in told:
        chart.stack = chart.stack or "zero"
    elif re.search(r"grouped|clustered|side[- ]by[- ]side|next to each other", told):
        chart.stack = chart.stack or "group"
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
    if chart.title:
        return text
    if re.search(
        r"\b(?:axis|legend|panel|colou?r scale|series|sizes)\b", text, re.IGNORECASE
    ) and not re.match(r"^\W*title", text, re.IGNORECASE):
        rules: tuple[re.Pattern[str], ...] = (
            _TITLES[:1]
            if re.search(rf"(?:chart|plot|graph|map|diagram|figure)[^.]{{0,40}}titled {NAME}", text)
            else ()
        )
    else:
        rules = _TITLES
    for rule in rules:
        if match := rule.search(text):
            chart.title = unquote(match[1]).strip(" .")
            return f"{text[: match.start()]} {text[match.end() :]}"
    return text


def loose_title(text: str, chart: PlainChart, unquote: Unquote) -> str:
    """A quoted text beside the kind of chart, or the name after `Figure 2:`, is its title."""
    if chart.title:
        return text
    if match := re.match(rf"^\W*({NAME})|^[^:]{{0,40}}?\W({NAME})", text):
        found = match[1] or match[2]
        chart.title = unquote(found)
        return text.replace(found, " ", 1)
    return text


def caption(text: str, chart: PlainChart) -> str:
    """`Figure 2: name` without `Figure 2:`; a name that is no sentence is the title."""
    match = _CAPTION.match(text)
    if match is None or not re.match(r"^fig(?:ure)?\.?\s*\d", text, re.IGNORECASE):
        return text
    rest = match[1].strip()
    plain = not any(pattern.search(rest) for pattern, _ in _KINDS)
    if (
        plain
        and rest
        and not re.search(NAME, rest)
        and not NUMBERS.search(rest)
        and not chart.title
    ):
        chart.title = rest
        return ""
    return rest


def _quoted_or(text: str) -> str:
    match = re.search(NAME, text)
    return match.group() if match else text.strip(" .:")
