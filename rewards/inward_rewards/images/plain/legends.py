"""Statements about legends, panels, sizes and colours."""

from __future__ import annotations

import re

from inward_rewards.images.plain.axes import axis_words
from inward_rewards.images.plain.chart import PlainChart
from inward_rewards.images.plain.numbers import COLOR, NUMBER, color
from inward_rewards.images.plain.state import State, Unquote
from inward_rewards.images.plain.text import NAME


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
    if (corner := _CORNER.search(told)) and _INSIDE.search(told):
        upper = {"upper": "top", "lower": "bottom"}.get(corner[1], corner[1])
        chart.looks.legend = f"{upper}-{corner[2]}"
    elif side := re.search(r"\b(right|bottom|top|left|below|under|above)\b(?! ?-?hand axis)", told):
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


_CORNER = re.compile(r"\b(top|upper|bottom|lower)[- ](left|right)\b")
_INSIDE = re.compile(r"\b(?:inside|within|in the plot|in a corner of)\b")
_DASHES = re.compile(
    r"\b(?a:(sparsely dotted|dash-dot-dotted|dash-?dot(?:ted)?|short-dashed|long-dashed|solid"
    r"|dashed|dotted))\b",
    re.IGNORECASE,
)
_MARKERS = re.compile(
    r"\b(?:(downward|inverted)[- ](?:pointing )?)?(?a:(circ|squar|triang|diamond|cross"
    r"|plus))(?:[a-z]{0,6})\b",
    re.IGNORECASE,
)
_SYMBOLS = {
    "circ": "circle", "squar": "square", "triang": "triangle-up", "diamond": "diamond",
    "cross": "cross", "plus": "cross",
}  # fmt: skip
"""Vega's names of them."""


def variant(chart: PlainChart, name: str, words: str) -> bool:
    """Notes the dashes and the symbols that `words` tell of a series; whether there are any."""
    dash, marker = _DASHES.search(words), _MARKERS.search(words)
    if dash:
        told = re.sub(r"^dash-?dot(?:ted)?$", "dash-dotted", dash[1].lower())
        chart.dashes[name.lower()] = told
    if marker:
        shape = _SYMBOLS[marker[2].lower()]
        chart.markers[name.lower()] = "triangle-down" if marker[1] else shape
    return bool(dash or marker)


def variants_of(text: str, state: State) -> bool:
    """Notes `"A" is drawn dashed, "B" with squares`; whether there were any."""
    if len(text) > 2000 or not (_DASHES.search(text) or _MARKERS.search(text)):
        return False
    known = [name for name in state.names() if name.lower() in text.lower()]
    name, found = "", False
    for clause in re.split(r",|;|\band\b|\bwhile\b", text):
        if quoted := re.search(NAME, clause):
            name = state.unquote(quoted.group())
        else:
            name = next((one for one in known if one.lower() in clause.lower()), name)
        if name:
            found = variant(state.chart, name, clause) or found
    return found


_COLORED = re.compile(
    rf"({NAME}|[A-Za-z][\w&/ .'-]{{0,40}}?)(?:\s+(?:bars?|lines?|slices?|points"
    r"|dots|series|segment|wedge|columns?|area))?\s*"
    rf"(?:\((?:in |the |solid |dashed )*(?=[^()]{{0,20}}(?:#|[a-z]))({COLOR.pattern}"
    rf")[^()]{{0,20}}\)|"
    r"(?:is|are|in|as|=|:|shown in|drawn in|is shown in|is drawn in|is colou?r"
    rf"ed|colou?red)(?: in)?\s+(?:a |the |solid |dashed )?({COLOR.pattern}))",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    rf"\s*(?:[:=–—]|\s-)?\s*[~≈]?\s?{NUMBER}(?: ?(?:units?|points|votes|people|tons?|"
    rf"tonnes))?(?=[ ,;)(])"
)
"""A number between a name and its colour: `Oslo: 12 (blue)`."""
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
        match = _COLORED.search(_AMOUNT.sub(" ", part))
        if match is None:
            continue
        shade = color(match.group())
        name = re.sub(
            r"^(?:the )?colou?rs? of (?:all )?(?:the )?|^(?:the|a|an|all|with|two|"
            r"entries|series|colou?rs?)\s+|^.*:\s*",
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
