"""Descriptions of several different plots side by side, cut into one part a plot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from inward_rewards.images.plain.chart import PlainChart
from inward_rewards.images.plain.kinds import BARE_KINDS, kind_of
from inward_rewards.images.plain.text import NAME, Line, Table, sentences

MAX_PANELS = 9
_SIDE = r"(?:top|upper|bottom|lower|left|right|middle|cent(?:re|er)|first|second|third|fourth)"
_NOUN = r"(?:sub-?)?(?:panel|plot|figure|chart|graph|axes)"
_LETTER = r"\(?[a-h1-9]\)"
_OPENER = re.compile(
    r"^(?:in |on "
    rf"|and )?(?:the )?(?:(?P<side>{_SIDE}(?:[- ](?:hand )?{_SIDE})?(?:-hand)?) {_NOUN}\b"
    rf"|(?:sub-?)?(?:panel|plot|figure|graph) (?P<name>{NAME}|\(?[A-Ha-h1-9]\)?(?![\w.]))"
    rf"|(?P<letter>{_LETTER}))"
    rf"(?P<title>(?: |[,:–—-] ?| [–—(-] ?)(?:titled |named |called |labell?ed )?{NAME}\)?)?",
    re.IGNORECASE,
)
"""`Panel "(a) Loss"`, `The left panel`, `(b)`, `Subplot 2`."""
_NUMBERED = re.compile(r"figure \d", re.IGNORECASE)
_COLUMNS = re.compile(r"\b(\d|one|two|three|four) columns?\b", re.IGNORECASE)
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4}
_ONE_ROW = re.compile(r"side[- ]by[- ]side|in (?:one|a|a single) row|next to each other", re.I)
_ONE_COLUMN = re.compile(r"\b(?:stacked|above|below|under|one column|on top of)\b", re.IGNORECASE)


@dataclass
class Part:
    """The pieces that tell of one plot, and its heading as it is quoted or lettered."""

    title: str
    pieces: list[Line | Table] = field(default_factory=list)


def parts_of(pieces: list[Line | Table]) -> tuple[list[Line | Table], list[Part]]:
    """What stands before the first plot, and the plots; none where there are not at least two that
    name their kind of chart."""
    parts: list[Part] = []
    before: list[Line | Table] = []
    for piece in _by_opener(pieces):
        opener = _OPENER.match(piece.text) if isinstance(piece, Line) else None
        if isinstance(piece, Line) and not parts and _NUMBERED.match(piece.text):
            opener = opener if _has_kind([piece]) else None  # else the caption of the whole
        if opener is None or not isinstance(piece, Line):
            (parts[-1].pieces if parts else before).append(piece)
            continue
        rest = piece.text[opener.end() :].lstrip(" :,.–—-")
        parts.append(Part(_title(opener)))
        if rest:
            parts[-1].pieces.append(replace(piece, text=rest, header=False))
    if not 2 <= len(parts) <= MAX_PANELS or not all(_has_kind(part.pieces) for part in parts):
        return pieces, []
    return before, parts


def _title(opener: re.Match[str]) -> str:
    if opener["title"]:
        return re.search(NAME, opener["title"]).group()  # type: ignore[union-attr]
    name = opener["name"] or opener["letter"] or ""
    return name if re.fullmatch(NAME, name) or name.startswith("(") else ""


def _by_opener(pieces: list[Line | Table]) -> list[Line | Table]:
    """Each plot begins a line: a sentence that opens one within a line is moved to its own."""
    found: list[Line | Table] = []
    for piece in pieces:
        if isinstance(piece, Table) or piece.header:
            found.append(piece)
            continue
        run: list[str] = []
        split = False
        for sentence in sentences(piece.text):
            if run and _OPENER.match(sentence):
                found.append(replace(piece, text=". ".join(run)))
                run, split = [], True
            run.append(sentence)
        # A line that opens one plot at most stays as it is: a heading keeps its colon.
        found.append(replace(piece, text=". ".join(run)) if split else piece)
    return found


def _has_kind(pieces: Sequence[Line | Table]) -> bool:
    for piece in pieces:
        if isinstance(piece, Line):
            probe = PlainChart()
            kind_of(piece.text, probe)
            words = piece.text.lower().strip(" .:").partition(" ")[0]
            if probe.kind is not None or words in BARE_KINDS:
                return True
    return False


def sheet_columns(before: list[Line | Table], parts: list[Part]) -> int | None:
    """In how many columns the plots stand, where it is told."""
    for piece in before:
        if not isinstance(piece, Line):
            continue
        if match := _COLUMNS.search(piece.text):
            told = match[1].lower()
            return max(1, _NUMBERS.get(told) or int(told))
        if _ONE_ROW.search(piece.text):
            return len(parts)
        if _ONE_COLUMN.search(piece.text):
            return 1
    return None
