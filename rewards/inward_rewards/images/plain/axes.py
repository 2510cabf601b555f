"""Statements about axes."""

from __future__ import annotations

import re

from inward_rewards.images.plain.chart import Axis, PlainChart
from inward_rewards.images.plain.facts import listed
from inward_rewards.images.plain.numbers import (
    NUMBER,
    NUMBERS,
    RANGE,
    TIGHT_RANGE,
    iso_date,
    number,
    numbers,
)
from inward_rewards.images.plain.state import Unquote
from inward_rewards.images.plain.text import NAME

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
    r"displays?|indicates?|goes|extends?|spans?|ranges?|marks|tracks|depicts|covers?|contains?|"
    r"includes?|corresponds? to|stands? for|we (?:see|have)|there (?:is|are)|plotted|"
    r"drawn|the|a|label|title|you've got|you have|with|as|runs?"
    r"|for|denotes?|plots?|of|called|named)\b\W*)+",
    re.IGNORECASE,
)
_SYMLOG = re.compile(
    r"(?:on )?(?:an? )?\bsym(?:metric(?:al)?)?[- ]?log(?:arithmic)?(?: scale)?"
    rf"(?:,? \(?(?:and )?(?:is )?linear (?:up to|below|within) ±?({NUMBER})\)?)?",
    re.IGNORECASE,
)
_LEAST_MOST = re.compile(
    rf"\b(?:min(?:imum)?|low(?:est)?|start(?:s|ing)?(?: (?:at|from))?)\s*(?:[:=]|is|of|"
    rf"at)?\s*({NUMBER})\s*"
    rf"(?:,|;|and)*\s*(?:max(?:imum)?|high(?:est)?|end(?:s|ing)?(?: at)?)\s*(?:[:=]|is|"
    rf"of|at)?\s*({NUMBER})",
    re.IGNORECASE,
)
_COORDINATES = re.compile(
    rf"\b([xy])[- ]?(?:values?|coordinates)\s*(?:are|is|:|=)\s*((?:{NUMBER}(?:,"
    r"\s*(?:and\s+)?|\s+and\s+)?)+)",
    re.IGNORECASE,
)
_BRACKETED = re.compile(
    r"\s*[(\[](?:from left to right: )?([^()\[\],]{1,60}(?:, [^()\[\],]{1,60}){1,60})[)\]]"
)
"""`Grade (Grade 4, Grade 5)`."""
_FOR_SEVERAL = re.compile(
    r"\b(?:for|of|across|"
    r"over) (?:the )?((?:[\w-]{1,30}, ){1,20}?[\w-]{1,30},? and [\w-]{1,30}) ([a-z]{3,30})$"
)
"""`for clean, noisy and blurred inputs`, before `(x-axis)`."""
_COLUMNS = re.compile(
    rf"\bcol(?:umn)?s:? ((?:(?!rows\b|are\b|run\b)(?:[\w-]{{1,30}}|{NAME})(?:, | and | |"
    rf"(?=[.;]|$))){{2,30}})(?=rows\b|[.;]|$)"
)
_COLUMNS_ARE = re.compile(
    r"\bcolumns (?:are|show|represent|contain|stand for|correspond to) (?:the )?([^;:.\d]{3,200}?)"
    r"(?=[;.]|$|,? (?:and|while|with) (?:the )?rows\b)",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"(?:\b(?:of|with|against|and|the)\s+){0,4}([A-Za-z][A-Za-z -]{1,40}?(?: \([^("
    r")]{1,20}\))?)\s*(?:\((?:the )?([xy])[- ]axis(,? log[^)]*)?\)|,? (?:is sh"
    r"own )?on (?:the )?([xy])[- ]axis)",
    re.IGNORECASE,
)

_BOTH = re.compile(
    r"^(?:and )?x ?(?: is|[:=])? ([^:;]{1,200}?)[,;] (?:and )?y ?(?: is|[:=])? ([^:;]{1,200})$"
)
"""`x is the year, y the gold`, `x: year, y: gold`."""
_JOINT = re.compile(r"(?:(?<![^\s,;])(?:and|while|with|whereas|but|on|for|the|a|log)\s{0,2}){1,3}$")
"""Whole words between what is said of one axis and the name of the next."""


def beside_axes(text: str, chart: PlainChart) -> str:
    """Notes `the mass (y-axis)` and `memory on the y-axis`; the sentence without them."""
    for match in list(_BESIDE.finditer(text)):
        axis = chart.x if (match[2] or match[4]).lower() == "x" else chart.y
        before = text[max(0, match.start() - 200) : match.end(1)]
        if axis is chart.x and (several := _FOR_SEVERAL.search(before)):
            axis.members = axis.members or listed(several[1])
            axis.title = axis.title or several[2]
            continue
        words = re.sub(
            r"^(?:.*\b(?:of|with|against|and|the|has)\s)", "", match[1].strip(), flags=re.IGNORECASE
        ).strip()
        axis.title = axis.title or words
        axis.log = axis.log or bool(match[3])
        listing = re.match(r": ([^;:]{3,200})", text[match.end() :])
        names_only = listing and not NUMBERS.search(listing[1])
        if listing and (names_only or all(map(number, listed(listing[1])))):
            axis_words(axis, listing[1], chart, str)
            text = text[: match.end()] + text[match.end() + listing.end() :]
        if (names := _BRACKETED.match(text, match.end())) and not NUMBERS.search(names[1]):
            axis.members = axis.members or listed(names[1])
    return _BESIDE.sub(" ", text)


def columns_of(text: str, chart: PlainChart, unquote: Unquote) -> None:
    """Notes `cols Mon Tue Wed` of a heat map."""
    if told := _COLUMNS_ARE.search(text):
        chart.x.members = chart.x.members or [unquote(name) for name in listed(told[1])]
    elif match := _COLUMNS.search(text):
        names = re.split(r"[ ,]+(?:and )?", match[1].strip(" ,"))
        chart.x.members = chart.x.members or [unquote(name) for name in names]


def axes_of(text: str, chart: PlainChart, unquote: Unquote) -> bool:
    """Notes what a sentence says of axes; whether it speaks of them."""
    short = _BOTH.match(text)
    if short:
        axis_words(chart.x, short[1], chart, unquote)
        axis_words(chart.y, short[2], chart, unquote)
        return True
    if ends := re.match(r"^([xy])\s+(?:is |goes |runs |ranges )?((?:from|between)\b.*)$", text):
        axis_words(chart.x if ends[1] == "x" else chart.y, ends[2], chart, unquote)
        return True
    if plain := re.match(
        rf"^([xy]) ([A-Za-z][^\d:;]{{0,40}}? {NUMBER} (?:to|-|–) {NUMBER})$", text
    ):
        axis_words(chart.x if plain[1] == "x" else chart.y, plain[2], chart, unquote)
        return True
    if most := re.match(rf"^([xy])(?:[- ]axis)? (?:max(?:imum)?|up to)\.? ({NUMBER})$", text):
        highest = number(most[2])
        if highest is not None and highest.value > 0:
            axis = chart.x if most[1] == "x" else chart.y
            axis.low, axis.high = 0.0, highest.value
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
        piece = _JOINT.sub("", text[mention.end() : end].rstrip(" ,;")).rstrip(" ,;")
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
    before, arrow, after = text.partition("->")
    if arrow and len(names := listed(after)) >= 2:
        # `age group -> 8-12, 13-17`
        axis.members = [unquote(name) for name in names]
        text = before.strip()
    if symlog := _SYMLOG.search(text):
        linear = number(symlog[1]) if symlog[1] else None
        axis.symlog = linear.value if linear and linear.value > 0 else 0.0
        text = text[: symlog.start()] + text[symlog.end() :]
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
    if (bracketed := _BRACKETED.search(text)) and not NUMBERS.search(bracketed[1]):
        axis.members = axis.members or [unquote(name) for name in listed(bracketed[1])]
        text = text[: bracketed.start()] + text[bracketed.end() :]
    text = _LEAST_MOST.sub(r" from \1 to \2 ", text)
    span = RANGE.search(text)
    ends = (number(span[1]), number(span[2])) if span else (None, None)
    if span is None and (tight := TIGHT_RANGE.search(text)):
        ends = number(tight[1]), number(tight[2])
        span = tight
    if span and ends[0] and ends[1]:
        axis.low, axis.high = sorted((ends[0].value, ends[1].value))
        axis.percent, axis.unit = axis.percent or ends[1].percent, ends[1].scale
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
    names = re.findall(NAME, text)
    if len(names) >= 2:
        if titled := re.search(rf"\b(?:titled?|label(?:l?ed)?|named|called)\W+({NAME})", text):
            names.remove(titled[1])
            title = re.search(titled[1], text)
        else:
            title = None
        axis.members = axis.members or [unquote(name) for name in names]
        if title is None:
            return
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
    parts = (part.strip(" ()[].") for part in re.split(r",\s+|\s+and\s+", text))
    values = [part for part in parts if number(part)]
    if axis is chart.x:
        axis.members = values
    else:
        chart.y.members = values
