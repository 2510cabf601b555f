"""Statements about sizes, backgrounds, grid lines and lettering."""

from __future__ import annotations

import re

from inward_rewards.images.plain.chart import PlainChart
from inward_rewards.images.plain.numbers import COLOR, color

_BANDS = re.compile(
    r"\b(?:intervals?|errors?|spreads?|deviations?|uncertainty|ranges?)\b[^.:]{0,60}"
    r"\b(?:bands?|shaded|shading|ribbons?)\b"
    r"|\b(?:shaded|translucent|pale|light|faint) (?:[a-z-]{1,20} ){0,2}(?:bands?"
    r"|ribbons?)\b[^:]{0,80}$"
)
_DIRECT = re.compile(
    r"\b(?:names?|labels?|labell?ed)\b[^.]{0,60}\b(?:at|by|beside|near|next to) (?:the |their )?"
    r"(?:right )?ends? of (?:the|its|their|each) lines?\b"
    r"|\b(?:lines?|curves?|series) (?:are|is) labell?ed directly\b"
)


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
    if _BANDS.search(told):
        chart.bands = True
        found = True
    if _DIRECT.search(told):
        looks.legend = "direct"
        found = True
    if re.search(r"\b(?:hollow|rings|open circles|unfilled)\b", told):
        looks.hollow = True
        found = True
    if match := re.search(r"(?:turned|rotated|tilted)(?: by)? (\d{1,2}) degrees", told):
        looks.angle = -int(match[1])
        found = True
    return found
