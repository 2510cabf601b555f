"""Headings of nested lists."""

from __future__ import annotations

import re

from inward_rewards.images.plain.axes import AXIS
from inward_rewards.images.plain.chart import PlainChart
from inward_rewards.images.plain.facts import facts
from inward_rewards.images.plain.kinds import kind_of
from inward_rewards.images.plain.numbers import color
from inward_rewards.images.plain.state import State
from inward_rewards.images.plain.text import NAME

SECTIONS = frozenset(
    word.strip()
    for word in (
        "data, values, points, axes, axis, labels, categories, colors, colours, key, details, "
        "observations, numbers, overview, description, summary, chart, visual, elements, series, "
        "lines, bars, slices, segments, the, trends, approximate, data points, axis labels, "
        "groups, boxes, legend, colors, columns, rows, data values, chart description, visual elements, data series, approximate values"
    ).split(",")
)
"""Headings of a part of a description, in lower case: they name no series."""


def speaks(head: str) -> bool:
    """Whether a line is a statement, and not the name of what follows."""
    if AXIS.search(head) or re.search(r"\b(?:titled|legend|background)\b", head, re.I):
        return True
    probe = PlainChart()
    kind_of(head, probe)
    return probe.kind is not None or (bool(facts(head)) and not head[:1].isupper())


def open_head(state: State, indent: int, words: str) -> None:
    state.chart.statements += 1
    name = re.sub(r"\s*\([^()]*\)$", "", words)
    if re.search(r"\b(?:are|is|there|follow(?:s|ing)?|shown|has|two|three|four|five|six)\b", name):
        state.chart.color = color(name) or state.chart.color
        state.heads.append((indent, ""))
        return
    if panel := re.match(rf"^(?:the )?panel\s+({NAME}|.+)$", name, re.IGNORECASE):
        state.panel = state.unquote(panel[1])
        return
    name = re.sub(
        r"^(?:the )?(?:values|data|line|bars|series|points|numbers)\s+(?:for|of|in"
        r")\s+(?:the )?",
        "",
        name,
        flags=re.IGNORECASE,
    )
    name = re.sub(r"\s+(?:line|bars|series|data|values)$", "", name)
    shown = state.unquote(name)
    if shade := color(words[len(name) :]):
        state.chart.colors[shown.lower()] = shade
    section = shown.lower() in SECTIONS or shown.lower().endswith((" data", " values"))
    state.heads.append((indent, "" if section else shown))
