"""Statements about a chart other than its numbers: kind, title, axes, legend, colours, sizes.

Longer than other files: it is a list of rules, each with the pattern that it knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from inward_rewards.images.plain.chart import Axis, Kind, Number, PlainChart
from inward_rewards.images.plain.facts import listed
from inward_rewards.images.plain.numbers import (
    COLOR,
    NUMBER,
    NUMBERS,
    RANGE,
    TIGHT_RANGE,
    color,
    colors,
    iso_date,
    number,
    numbers,
)
from inward_rewards.images.plain.text import NAME

Unquote = Callable[[str], str]

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

AXIS = re.compile(
    r"\b(?:(?P<x>x|horizontal|bottom)|(?P<y>y|vertical|left)|(?P<right>right|second|secondary))"
    r"(?:\s?\(\w+\))?[- ](?:hand )?ax[ie]s\b(?:\s+(?:label|title|labelled|labeled)\b)?|"
    r"\b(?P<along>along the bottom|across the bottom)\b|\b(?P<up>up the (?:left )?side)\b",
    re.IGNORECASE,
)
_TICKS = re.compile(
    r"(?:ticks?|tick labels?|labels?|marks|marked|labelled|labeled)(?: (?:are|"
    r"at|every|reading|values?))*\s*(?::|at)?\s+(?=[-−$€£\d])(.*)$",
    re.IGNORECASE,
)
_DATE_TICKS = re.compile(r"(?:ticks?|labelled|labeled|labels)(?: at)?\s+(?=[A-Z])(.*)$")
_MEMBERS = re.compile(
    r"(?:\b(?:showing|lists?|listing|with (?:the )?(?:categories|labels|names|"
    r"values|years|months|entries)|categories|members|in (?:the|this) order|sh"
    r"ows)\b(?: are| of)?\s*:?)\s+(.*)$",
    re.IGNORECASE,
)
_SAYS = re.compile(
    r"^\W*(?:(?:is|are|has|carries|shows?|showing|gives?|represents?|measures?"
    r"|lists?|label(?:l?ed)?|titled?|reads?|"
    r"displays?|indicates?|the|a|label|title|you've got|you have|with|as|runs?"
    r"|for|denotes?|plots?|of|called|named)\b\W*)+",
    re.IGNORECASE,
)


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


_COORDINATES = re.compile(
    rf"\b([xy])[- ]?(?:values?|coordinates)\s*(?:are|is|:|=)\s*((?:{NUMBER}(?:,"
    r"\s*(?:and\s+)?|\s+and\s+)?)+)",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"(?:\b(?:of|with|against|and|the)\s+){0,4}([A-Za-z][A-Za-z -]{1,40}?(?: \([^("
    r")]{1,20}\))?)\s*(?:\((?:the )?([xy])[- ]axis(,? log[^)]*)?\)|,? (?:is sh"
    r"own )?on (?:the )?([xy])[- ]axis)",
    re.IGNORECASE,
)


def beside_axes(text: str, chart: PlainChart) -> str:
    """Notes `the mass (y-axis)` and `memory on the y-axis`; the sentence without them."""
    for match in list(_BESIDE.finditer(text)):
        axis = chart.x if (match[2] or match[4]).lower() == "x" else chart.y
        words = re.sub(
            r"^(?:.*\b(?:of|with|against|and|the|has)\s)", "", match[1].strip(), flags=re.IGNORECASE
        ).strip()
        axis.title = axis.title or words
        axis.log = axis.log or bool(match[3])
    return _BESIDE.sub(" ", text)


def axes_of(text: str, chart: PlainChart, unquote: Unquote) -> bool:
    """Notes what a sentence says of axes; whether it speaks of them."""
    short = re.match(r"^(?:and\s+)?x\s+(?:is\s+)?([^:;]+?)[,;]\s*y\s+(?:is\s+)?([^:;]+)$", text)
    if short:
        axis_words(chart.x, short[1], chart, unquote)
        axis_words(chart.y, short[2], chart, unquote)
        return True
    if ends := re.match(r"^([xy])\s+(?:is |goes |runs |ranges )?((?:from|between)\b.*)$", text):
        axis_words(chart.x if ends[1] == "x" else chart.y, ends[2], chart, unquote)
        return True
    told = list(_COORDINATES.finditer(text))
    for match in told:
        _bare(chart.x if match[1].lower() == "x" else chart.y, match[2], chart)
    if told:
        return True
    mentions = list(AXIS.finditer(text))
    if not mentions:
        return False
    before = text[: mentions[0].start()]
    if "log" in before.split()[-3:]:
        _axis_of(mentions[0], chart).log = True
    elif re.search(r"\b(?:on|along) (?:the )?$", before) and (names := _list_before(before)):
        chart.x.members = chart.x.members or [unquote(name) for name in names]
        return True
    for mention, following in zip(mentions, [*mentions[1:], None], strict=True):
        end = following.start() if following else len(text)
        piece = re.sub(
            r"[\s,;]*(?:and|while|with|whereas|but)?\s*(?:on|for)?\s*(?:the|a|log)?\s*$",
            "",
            text[mention.end() : end],
        )
        if following and text[mention.end() : end].rstrip().endswith(" log"):
            _axis_of(following, chart).log = True
        axis_words(_axis_of(mention, chart), piece, chart, unquote)
    return True


def _axis_of(mention: re.Match[str], chart: PlainChart) -> Axis:
    if mention["right"]:
        return chart.right
    return chart.y if mention["y"] or mention["up"] else chart.x


def _list_before(text: str) -> list[str]:
    text = re.sub(r"\s*(?:on|along) (?:the )?$", "", text)
    match = re.search(
        r"(?:with|the|has|shows?) (?:the )?(?:years|months|categories|values|names"
        r")?\s*((?:[\w.]+,\s*)+[\w.]+(?:,? and [\w.]+)?)$",
        text,
    )
    return listed(match[1]) if match else []


def axis_words(axis: Axis, text: str, chart: PlainChart, unquote: Unquote) -> None:
    """Title, ends, ticks and members from what stands behind the words `x-axis`."""
    if again := AXIS.search(text):
        text = text[again.end() :]
    if re.search(r"\blog(?:arithmic)?\b", text, re.IGNORECASE):
        axis.log = True
        text = re.sub(
            r"\(?\b(?:on a |is |a )?log(?:arithmic)?(?:[- ]scale)?(?: scale)?\)?",
            "",
            text,
            flags=re.IGNORECASE,
        )
    if ticks := _TICKS.search(text):
        axis.ticks = numbers(ticks[1])
        text = text[: ticks.start()]
    elif (
        axis is chart.x
        and (dates := _DATE_TICKS.search(text))
        and iso_date(listed(dates[1])[0] if listed(dates[1]) else "")
    ):
        axis.dates = [found for name in listed(dates[1]) if (found := iso_date(unquote(name)))]
        text = text[: dates.start()]
    span = RANGE.search(text)
    ends = (number(span[1]), number(span[2])) if span else (None, None)
    if span is None and (tight := TIGHT_RANGE.search(text)):
        ends = number(tight[1]), number(tight[2])
        span = tight
    if span and ends[0] and ends[1]:
        axis.low, axis.high = sorted((ends[0].value, ends[1].value))
        axis.percent = axis.percent or ends[1].percent
        text = text[: span.start()] + " \uf701 " + text[span.end() :]
    axis.percent = axis.percent or any(tick.percent for tick in axis.ticks)
    if (
        (members := _MEMBERS.search(text))
        and len(listed(members[1])) >= 2
        and "\uf701" not in members[1]
    ):
        axis.members = [unquote(name) for name in listed(members[1])]
        text = text[: members.start()]
    elif (bare := list(NUMBERS.finditer(text))) and len(bare) >= 3:
        _bare(axis, text[bare[0].start() :], chart)
        text = text[: bare[0].start()]
    title = re.search(NAME, text)
    if title:
        axis.title = axis.title or unquote(title.group())
        return
    words = _SAYS.sub("", text)
    words = re.split(
        r"\uf701|,|;|\bfrom\b|\branging\b|\branges\b|\bruns\b|\bin increments\b|\b"
        r"in steps\b|\(\s*\uf701",
        words,
    )[0]
    words = words.strip(" :.-–—*(")
    words = words + ")" if words.count("(") > words.count(")") else words
    if (
        words
        and len(words) <= 80
        and not axis.title
        and not re.fullmatch(r"(?:and|is|in|no|log|scale|not|has|with)\b.*", words)
    ):
        axis.title = words


def _bare(axis: Axis, text: str, chart: PlainChart) -> None:
    """`x: threads 1, 2, 4`: the places; `y: req/s 900, 1750`: the values."""
    values = [part.strip() for part in re.split(r",\s+|\s+and\s+", text) if number(part.strip())]
    if axis is chart.x:
        axis.members = values
    else:
        chart.y.members = values


def legend_of(text: str, chart: PlainChart, unquote: Unquote) -> bool:
    """Notes what a sentence says of the legend, of panels, of sizes and of a scale of colours."""
    told = text.lower()
    if (
        re.match(r"^\W*(?:the )?(?:panels?|small multiples|facets?)\b", told) and "titled" in told
    ) or "headed" in told:
        if title := re.search(NAME, text):
            chart.panel_title = unquote(title.group())
        if columns := re.search(r"\b(\d{1,6}) columns?", told):
            chart.columns = int(columns[1])
        return True
    if re.match(r"^\W*(?:the )?(?:circle |bubble )?sizes?\b", told) and re.search(
        r"titled|legend|show|represent", told
    ):
        axis_words(chart.sizes, text, chart, unquote)
        return True
    if re.search(r"\bcolou?r (?:scale|bar|ramp)\b|colou?rbar", told):
        if ramp := re.search(r"from ((?:#[0-9a-f]{6}[\s,a-z]*){2,})", told):
            chart.ramp = re.findall(r"#[0-9a-f]{6}", ramp[1])
            text = re.sub(r"from (?:#[0-9a-fA-F]{6}[\s,a-z]*){2,}", " ", text)
        axis_words(
            chart.scale,
            re.sub(r"^.*?colou?r\s?(?:scale|bar|ramp)", "", text, flags=re.IGNORECASE),
            chart,
            unquote,
        )
        return True
    if "legend" not in told:
        return False
    if side := re.search(r"\b(right|bottom|top|left|below|under|above)\b(?! ?-?hand axis)", told):
        chart.looks.legend = {"below": "bottom", "under": "bottom", "above": "top"}.get(
            side[1], side[1]
        )
    if title := re.search(
        rf"(?:titled|title|called|headed)\W*(?:is\s)?\W*({NAME})", text, re.IGNORECASE
    ):
        chart.legend_title = unquote(title[1])
    elif (
        title := re.match(r"^\W*legend(?: title)?\s*:\s*([A-Z][\w ]{1,40})$", text, re.IGNORECASE)
    ) and title[1].strip().lower() not in ("right", "left", "top", "bottom", "none", "yes", "no"):
        chart.legend_title = title[1].strip()
    colors_of(text, chart, unquote)
    return True


_COLORED = re.compile(
    rf"({NAME}|[A-Za-z][\w&/ .'-]{{0,40}}?)(?:\s+(?:bars?|lines?|slices?|points"
    r"|dots|series|segment|wedge|columns?|area))?\s*"
    rf"(?:\((?:in |the |solid |dashed )*(?=[^()]{{0,20}}(?:#|[a-z]))({COLOR.pattern}"
    rf")[^()]{{0,20}}\)|"
    r"(?:is|are|in|as|=|:|shown in|drawn in|is shown in|is drawn in|is colou?r"
    rf"ed|colou?red)(?: in)?\s+(?:a |the |solid |dashed )?({COLOR.pattern}))",
    re.IGNORECASE,
)
_GENERAL = frozenset(
    "bars bar lines line points point dots marks it all they text background "
    "everything columns circles markers area".split()
)


def colors_of(text: str, chart: PlainChart, unquote: Unquote) -> bool:
    """Notes `Oslo is blue`, `Oslo (blue)`, `the bars are green`; whether there were any."""
    found = False
    if len(text) > 2000 or not COLOR.search(text):
        return False
    for part in re.split(r",|;|\band\b|\bwhile\b", text):
        match = _COLORED.search(part)
        if match is None:
            continue
        shade = color(match.group())
        name = re.sub(
            r"^(?:the|a|an|all|with|two|entries|series|colou?rs?)\s+|^.*:\s*",
            "",
            unquote(match[1]).strip(),
            flags=re.IGNORECASE,
        ).strip()
        name = re.sub(
            r"\s+(?:bars?|lines?|slices?|points|dots|segment|is|are)$",
            "",
            name,
            flags=re.IGNORECASE,
        )
        if shade is None or not name:
            continue
        if name.lower() in _GENERAL:
            chart.color = shade
        else:
            chart.colors[name.lower()] = shade
        found = True
    if not found and re.search(
        rf"({COLOR.pattern})\s+(?:bars?|lines?|points|dots|circles|markers|columns)\b",
        text,
        re.IGNORECASE,
    ):
        chart.color = color(text) or ""
    return found


def style_of(text: str, chart: PlainChart) -> bool:
    """Notes sizes, backgrounds, grid lines and lettering; whether the sentence has any."""
    told, looks = text.lower(), chart.looks
    found = False
    if size := re.search(r"(\d{2,4}) ?(?:by|x|×) ?(\d{2,4}) ?(?:pixels|px)", told):
        chart.width, chart.height = float(size[1]), float(size[2])
        found = True
    for words, name in (("background", "background"), ("plot area", "panel"), ("text", "ink")):
        if (
            match := re.search(
                rf"\b{words}\b(?: of the \w+)? (?:is|in|are)?\s*({COLOR.pattern})", told
            )
        ) or (match := re.search(rf"({COLOR.pattern}) {words}\b", told)):
            setattr(looks, name, color(match[1]))
            found = True
    if "background" in told and "dark" in told and not looks.background:
        looks.background = looks.panel = "#1e1e24"
        looks.ink = "#e8e8e8"
        found = True
    if re.search(r"\bgrid ?lines?\b|\bgrid\b", told):
        looks.grid = not re.search(r"\bno (?:\w+ )?grid|without (?:\w+ )?grid", told)
        looks.dashed_grid = looks.grid and bool(re.search(r"dashed|dotted", told))
        looks.grid_x = "both" in told or "vertical grid" in told
        if shade := color(re.sub(r"background[^,]*", "", told)):
            looks.faint = shade
        found = True
    if re.search(r"\bframed?\b|\bborder around\b", told):
        looks.frame = not re.search(r"\bno frame|without (?:a )?frame", told)
        found = True
    for words, name in (
        (r"labels? (?:are|is|in) (\d{1,2}(?:\.\d)?) (?:px|pixels|points?)", "label_size"),
        (r"title is (\d{1,2}(?:\.\d)?) (?:px|pixels|points?)", "title_size"),
        (r"lines? (?:is|are) (\d(?:\.\d+)?) (?:px|pixels) (?:wide|thick)", "line_width"),
        (
            r"(?:dots|points|circles) (?:are|have|cover) (?:an area of )?(\d{1,4}) squ"
            r"are (?:px|pixels)",
            "point_area",
        ),
        (r"(\d{1,3}) ?% opaque", "opacity"),
        (r"gaps? (?:between (?:the )?bars )?(?:is|are) (\d{1,2}) ?%", "gap"),
    ):
        if match := re.search(words, told):
            setattr(looks, name, float(match[1]) / (100 if name in ("opacity", "gap") else 1))
            found = True
    if re.search(r"\btitle\b.*\b(?:centred|centered|in the middle)", told):
        looks.title_anchor = "middle"
        found = True
    elif re.search(r"\btitle\b.*\b(?:on the left|left-aligned|at the left)", told):
        looks.title_anchor = "start"
        found = True
    if re.search(r"\b(?:hollow|rings|open circles|unfilled)\b", told):
        looks.hollow = True
        found = True
    if match := re.search(r"(?:turned|rotated|tilted)(?: by)? (\d{1,2}) degrees", told):
        looks.angle = -int(match[1])
        found = True
    return found


def number_format(found: list[Number]) -> str:
    """The d3 format in which numbers like these are written."""
    if not found:
        return ""
    decimals = max(item.decimals for item in found)
    if any(item.percent for item in found):
        return f".{decimals}%"
    if any(item.short for item in found):
        return ".4~s"
    money = "$" if any(item.money for item in found) else ""
    comma = "," if any(item.thousands for item in found) else ""
    return f"{money}{comma}.{decimals}f"


def _quoted_or(text: str) -> str:
    match = re.search(NAME, text)
    return match.group() if match else text.strip(" .:")


__all__ = [
    "AXIS", "BARE_KINDS", "NUMBER", "Unquote", "axes_of", "axis_words", "caption", "colors",
    "colors_of", "kind_of", "legend_of", "loose_title", "number_format", "style_of", "title_of",
    "variety",
]  # fmt: skip
