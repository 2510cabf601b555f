"""Headings of nested lists."""

from __future__ import annotations

import re

from inward_rewards.images.plain.axes import AXIS
from inward_rewards.images.plain.chart import PlainChart
from inward_rewards.images.plain.facts import facts
from inward_rewards.images.plain.kinds import kind_of
from inward_rewards.images.plain.numbers import color
from inward_rewards.images.plain.runs import is_time
from inward_rewards.images.plain.state import State
from inward_rewards.images.plain.text import NAME

_PARTS = (
    "data|values?|points?|axes|axis|labels?|categor(?:y|ies)|colou?rs?|key|details|numbers|overview"
    "|description|summary|chart|visual|elements|series|lines?|bars|slices|segments|the|and|of|approximate"
    "|groups|boxes|legend|columns|rows|shown|plotted|general|layout|title|information|main|additional"
    "|figures|readings|exact|estimated|style|styling|table|breakdown|per|by|trends?|observations?"
    "|dots|markers|circles|cells|pairs|coordinates|bubbles|bins|steps|boxes|slices|wedges"
    "|takeaways?|insights?|notes?|analysis|conclusions?|findings|interpretation|comparison|remarks"
)
_SECTION = re.compile(rf"(?:\W*\b(?:{_PARTS})\b\W*){{1,6}}", re.IGNORECASE)
"""A heading of a part of a description: it names no series."""
_TALK = re.compile(
    r"\b(?:trends?|observations?|takeaways?|insights?|analysis|conclusions?|findings|interpretation"
    r"|comparisons?|remarks|summary)\b",
    re.IGNORECASE,
)


def is_section(heading: str) -> bool:
    """Whether a heading is that of a part of the description, and no name in the chart."""
    return _SECTION.fullmatch(heading) is not None


def is_talk(heading: str) -> bool:
    """Whether what follows a heading talks about the numbers, rather than telling them."""
    return is_section(heading) and _TALK.search(heading) is not None


def speaks(head: str) -> bool:
    """Whether a line is a statement, and not the name of what follows."""
    if AXIS.search(head) or re.search(r"\b(?:titled|legend|background)\b", head, re.I):
        return True
    if is_time(head):
        return False
    probe = PlainChart()
    kind_of(head, probe)
    return probe.kind is not None or (bool(facts(head)) and not head[:1].isupper())


def open_head(state: State, indent: int, words: str) -> None:
    state.chart.statements += 1
    name = re.sub(r"\s*\([^()]*\)$", "", words)
    # As lists of fields have it: `name: Oslo`.
    name = re.sub(r"^(?:series |line )?(?:name|label|series)\s*: ", "", name, flags=re.IGNORECASE)
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
    section = is_section(shown) or shown.lower().endswith((" data", " values"))
    if is_talk(shown):
        state.talk = indent
    state.heads.append((indent, "" if section else shown))
