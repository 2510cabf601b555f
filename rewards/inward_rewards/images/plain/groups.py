"""Statements that open with their series: `The line for Ghana begins at 15 in 1990, ...`."""

from __future__ import annotations

import re

from inward_rewards.images.plain.axes import AXIS
from inward_rewards.images.plain.chart import Kind, Observation
from inward_rewards.images.plain.collect import MAX_OBSERVATIONS, add, series_of, told
from inward_rewards.images.plain.facts import listed
from inward_rewards.images.plain.numbers import COLOR, color, numbers
from inward_rewards.images.plain.runs import is_time
from inward_rewards.images.plain.state import State
from inward_rewards.images.plain.text import NAME

GROUP_WORDS: dict[str, Kind | None] = {
    "bar": "bar", "bars": "bar", "column": "bar", "columns": "bar", "line": "line",
    "lines": "line", "curve": "line", "area": "area", "steps": "step", "points": "point",
    "dots": "point", "circles": "point", "band": "band", "series": None, "values": None,
    "numbers": None, "figures": None, "data": None, "slices": None, "cells": None, "row": None,
}  # fmt: skip
_HEAD = re.compile(
    rf"^(?:and )?(?:the |a |an )?(?:(?:shaded|solid|dashed|{COLOR.pattern}) )?"
    rf"(?a:(?P<word>{'|'.join(GROUP_WORDS)}))"
    r"(?:(?: data)?(?: points)?(?: values)?(?: for| of| in)(?: the)?|,? (?:nam"
    r"ed|called|titled|labelled|labeled))?"
    rf" (?:(?:series|line|year|group) )?(?P<name>{NAME}|[^\s:,]{{1,80}}(?: (?!is\b|are"
    rf"\b|was\b|were\b|at\b|with\b|sit\b|lie\b)[^\s:,()]+){{0,3}}?)"
    rf"(?P<notes>(?:\s*\([^()]{{0,60}}\)|, (?:with dots|on the right axis|measu"
    rf"red on the right axis|in {COLOR.pattern}|dashed))*)"
    r",?\s*(?P<rest>:.*|\b(?:is|are|was|were|has|have|shows?|begins?|starts?|g"
    r"oes|runs?|rises?|falls?|"
    rf"opens?|reads?|sit|lie|stand|stands)\b.*)$",
    re.IGNORECASE,
)
_BARE_HEAD = re.compile(
    r"^(?:and )?(?:the )?(?:shaded |blue |dashed )?(?a:(?P<word>bars|columns|line|"
    r"area|points|dots|band|steps))"
    r"(?P<notes>(?:, (?:with dots|on the right axis|measured on the right axis"
    r"))*)\s*(?:shows?|gives?)?\s*:\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_FOR = re.compile(
    rf"^(?:for|in) (?:the )?(?P<name>{NAME}|[^,:]{{1,40}}?),? (?:the )?"
    r"(?:(?:values|numbers|figures|bars|points|heights)\s*(?:are|were|:)|it (?"
    r":is|was)|they (?:are|were)|we (?:see|have))\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_AMONG = re.compile(
    rf"^(?:and )?(?:for|in|at|among|within|under) (?:the )?(?:year )?(?P<name>{NAME}|"
    rf"[^,:]{{1,40}}?)"
    r"(?:, | there (?:is|are|was|were) )(?P<rest>.*)$",
    re.IGNORECASE,
)
"""`For teens, the weekday bar is at 7 and the weekend bar at 9.`"""
_RULE = re.compile(
    r"\b(?:horizontal|dashed|dotted|reference)(?: \w+){0,2} (?:line|rule)\b."
    r"{0,40}?\bat\b\s+(.{1,40}?)(?:,|$| across| named| labelled)",
    re.IGNORECASE,
)
SHAPE = re.compile(
    r"^(?:a |an |the )?(?P<word>rectangles?|lines?|dots?|areas?) in (?P<color>"
    rf"{COLOR.pattern})(?: (?:at|through|over|between))?\s*:\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_PAIR = re.compile(r"\(([^()]{1,60})\)")


def group(state: State, text: str) -> bool:
    """`The line for Ghana begins at 15 in 1990, ...`: a series of its own."""
    if AXIS.match(text) or re.match(
        r"^(?:the )?(?:[xy]|horizontal|vertical)\b", text, re.IGNORECASE
    ):
        return False
    if bare := _BARE_HEAD.match(text):
        return add(
            state,
            told(state, bare["rest"]),
            state.head,
            GROUP_WORDS[bare["word"].lower()],
            notes=bare["notes"],
        )
    if (match := _FOR.match(text)) and not _at_a_time(match):
        return add(state, told(state, match["rest"]), state.unquote(match["name"]), None)
    if state.chart.stack and (match := _AMONG.match(text)):
        found = told(state, match["rest"])
        if len(found) >= 2 and all(fact.label for fact in found):
            name = state.unquote(match["name"])
            return add(state, found, name, None)
    match = _HEAD.match(text)
    if match is None:
        return False
    word, name, rest = match["word"].lower(), match["name"], match["rest"].lstrip(": ")
    if len(listed(name)) > 1 or name.lower() in (
        "chart",
        "graph",
        "plot",
        "at",
        "are",
        "is",
        "that",
        "points",
    ):
        return False
    if re.search(r"\b(?:titled|axis|chart|graph)\b", name + match["rest"][:30]):
        return False
    found = told(state, rest)
    if not found:
        return False
    if found[0].label is None and not found[0].more and any(f.label for f in found):
        return False
    if len(found) == 1 and found[0].label is None and word not in ("line", "curve", "area"):
        return False
    return add(
        state,
        found,
        state.unquote(name),
        GROUP_WORDS[word],
        notes=match.group(0)[: match.start("rest")],
    )


ACROSS = re.compile(r"\b(?:across|horizontal|reference|threshold|target)\b", re.IGNORECASE)
"""Of a line that is no series."""


def _at_a_time(match: re.Match[str]) -> bool:
    """`In January it was 3`: the place of a number, and no group."""
    return is_time(match["name"]) and bool(
        re.search(r"\bit (?:is|was)\s*$", match.string[: match.start("rest")], re.IGNORECASE)
    )


_MARKS_FOR = re.compile(
    r"\b(?a:(bars|columns|lines?|area|dots|points)) (?:for|showing|shows?|represent(?:ing|s)?|of"
    r"|with) (?:the )?"
    rf"({NAME}|[A-Za-z][\w%&-]{{0,20}}(?: (?!and\b|on\b|by\b|in\b|per\b|is\b"
    rf"|are\b)[\w%&-]{{1,20}}){{0,2}})",
    re.IGNORECASE,
)
"""`bars for sales and a line for margin`."""


def combined(state: State, text: str) -> bool:
    """Notes which series have which marks, where a sentence tells of two sorts."""
    found = [
        (kind, state.unquote(match[2]).lower())
        for match in _MARKS_FOR.finditer(text)
        if (kind := GROUP_WORDS[match[1].lower()]) is not None
    ]
    if len({kind for kind, _ in found}) < 2:
        return False
    for kind, name in found:
        state.chart.kinds[name] = kind
    state.chart.kind = state.chart.kind or found[0][0]
    return True


def rule_line(state: State, text: str) -> bool:
    match = _RULE.search(text)
    found = numbers(match[1]) if match else []
    if len(numbers(text)) > 1 and not ACROSS.search(text):
        # `Model B (dashed line) starts at 52 in 2010`
        return False
    if not found:
        return False
    name = re.search(NAME, text)
    series = series_of(state, state.unquote(name.group()) if name else "", "rule")
    series.observations.append(
        Observation(None, found[0].value, scale=found[0].scale, percent=found[0].percent)
    )
    return True


def shape(state: State, match: re.Match[str]) -> bool:
    corners: list[tuple[float, ...]] = []
    for piece in _PAIR.findall(match["rest"]):
        found = [value.value for value in numbers(piece)]
        if found and sum(map(len, corners)) < 4 * MAX_OBSERVATIONS:
            corners.append(tuple(found))
    if corners:
        state.chart.shapes.append(
            (match["word"].lower().rstrip("s"), color(match["color"]) or "", corners)
        )
    return bool(corners)
