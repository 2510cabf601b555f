"""A description cut into what is read one by one: tables, lines, sentences, quoted names.

A quoted text is put away and stands in its sentence as one private-use character, so that no rule
takes a title apart. Code is no description: fenced blocks and what stands in braces are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from inward_rewards.images.plain.wording import normal, powers

MAX_CHARACTERS = 20_000
"""Of a description; the rest is not read. It bounds the work, whatever a caller allows."""
MAX_QUOTES = 4000
FIRST = 0xE100
"""The private-use character of the first quoted text."""
NAME = f"[{chr(FIRST)}-{chr(FIRST + MAX_QUOTES)}]"
"""A quoted text, in the rules."""

_PRIVATE = re.compile("[\ue000-\uf8ff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_PLAIN = str.maketrans(
    {
        "\r": "\n",
        "\t": "    ",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u2010": "-",
        "\u2011": "-",
    }
)
_GROUPED = re.compile(r"(?<=\d)(?<!\d{4})[\u00a0\u202f\u2009](?=\d{3}(?!\d))")
"""Between the thousands of `1 200`."""
_PICTURES = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0f]")
"""Emoji, which some writers set before a name."""
_FENCED = re.compile(r"(```|~~~).*?(?:\1|\Z)", re.DOTALL)
_QUOTED = re.compile(r'"([^"\n]{1,200})"|“([^“”\n]{1,200})”|«([^«»\n]{1,200})»')
HOUR = r"(?:[01]?\d|2[0-3]):[0-5]\d(?: ?[ap]\.?m\b)?"
"""A time of day, which is a name on an axis."""
_HOURS = re.compile(rf"(?<![\w:.]){HOUR}(?![\w:]|\.\d)", re.IGNORECASE)
_TITLED = re.compile(
    r"\b((?:titled|entitled|title|called|named|label(?:l?ed)?|reads|headed)(?: is)? ?:? )"
    r"(\*\*|\*|__|_|')([^*_'\"\n]{2,120})\2(?!\w)",
    re.IGNORECASE,
)
"""A title that is set off otherwise than by double quotes."""
_ENDS = re.compile(r"[*_]*(?:\s+[A-Z]|\s*(?:\n|\Z))")
_EMPHASIS = re.compile(r"\*\*|__|`|(?<=\s)\*(?=\w)|(?<=\w)\*(?=[\s.,:;]|$)")
_BULLET = re.compile(r"^([ \t]*)(?:[-*•·–‣◦+]|\(?\d{1,2}[.)](?=\s+\D))\s+")
_HEADER = re.compile(r"^\s*#{1,6}\s+")
_ABBREVIATIONS = (
    r"(?<!\bvs\.)(?<!\bVs\.)(?<!\bFig\.)(?<!\bca\.)(?<!\bNo\.)(?<!\bapprox\.)(?<!\be\.g\.)"
)
_SENTENCE = re.compile(
    rf"{_ABBREVIATIONS}(?<=[.!?])\s+(?=[A-Z0-9#(\[]|{NAME}|[xy]\b|[a-z]+\s?[:=]|(?:bars?|lines?|pie|scatter|area|histogram"
    r"|heatmap|step|legend|title|values?|points?|data)\b)"
    r"|(?<!incl\.)(?<!temp\.)(?<!resp\.)(?<!prox\.)(?<=[a-z]{4}[.!?])\s+(?=[a-z])"
    r"|(?<=\d[.!])\s+(?=[a-z]{3,20} [a-z])"
)
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")


@dataclass(frozen=True)
class Line:
    indent: int
    text: str
    header: bool = False


@dataclass(frozen=True)
class Table:
    head: list[str]
    rows: list[list[str]]


@dataclass
class Text:
    """The pieces of a description, and the quoted texts that they hold."""

    pieces: list[Line | Table] = field(default_factory=list)
    quotes: list[str] = field(default_factory=list)

    def unquoted(self, text: str) -> str:
        """`text` with its quoted parts as they were written, without the marks."""
        return _PRIVATE.sub(lambda match: self.quotes[ord(match.group()) - FIRST], text).strip()


def without_code(description: str) -> tuple[str, int]:
    """The description without fenced blocks and text in braces, and how much was left out."""
    prose = _FENCED.sub("\n", description)
    kept, depth = [], 0
    for letter in prose:
        if letter == "{":
            depth += 1
        elif letter == "}":
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(letter)
    text = "".join(kept)
    return text, len(description) - len(text)


def cut(description: str) -> Text:
    """The pieces of a description, at most `MAX_CHARACTERS` of it."""
    found = Text()
    prose, _ = without_code(description[:MAX_CHARACTERS])
    prose = _PRIVATE.sub("", _GROUPED.sub("", prose).replace("\r\n", "\n").translate(_PLAIN))
    prose = _TITLED.sub(r'\1"\3"', _PICTURES.sub("", _CONTROL.sub("", prose)))

    def put_away(match: re.Match[str]) -> str:
        if len(found.quotes) >= MAX_QUOTES:
            return match.group()
        words = next(group for group in match.groups() if group)
        inner = words.strip().rstrip(",") if words.endswith((",", ", ")) else words.strip()
        # "The title." A new sentence: the full stop stands within the quotes.
        stop = inner.endswith(".") and _ENDS.match(match.string, match.end()) is not None
        found.quotes.append(_EMPHASIS.sub("", inner.removesuffix(".") if stop else inner))
        return chr(FIRST + len(found.quotes) - 1) + ("." if stop else "")

    def hour(match: re.Match[str]) -> str:
        if len(found.quotes) >= MAX_QUOTES:
            return match.group()
        found.quotes.append(match.group())
        return chr(FIRST + len(found.quotes) - 1)

    lines = _HOURS.sub(hour, _QUOTED.sub(put_away, prose)).split("\n")
    place = 0
    while place < len(lines):
        if place + 1 < len(lines) and "|" in lines[place] and _RULE.match(lines[place + 1]):
            head, rows = _cells(lines[place]), []
            place += 2
            while place < len(lines) and "|" in lines[place]:
                rows.append(_cells(lines[place]))
                place += 1
            found.pieces.append(Table(head, rows))
            continue
        line = _line(lines[place])
        if line is not None:
            found.pieces.append(line)
        place += 1
    return found


def _cells(line: str) -> list[str]:
    return [powers(_EMPHASIS.sub("", cell)).strip() for cell in line.strip().strip("|").split("|")]


def _line(raw: str) -> Line | None:
    header = bool(_HEADER.match(raw))
    raw = _HEADER.sub("", raw)
    bullet = _BULLET.match(raw)
    indent = len(raw) - len(raw.lstrip()) + (1 if bullet else 0)
    text = _EMPHASIS.sub("", raw[bullet.end() :] if bullet else raw).strip()
    # The rules try each place of a run of spaces: with one of a thousand that is a second.
    text = re.sub(r"\s{2,}", " ", text)
    text = normal(text)
    return Line(indent, text, header) if text else None


_FIGURE = re.compile(r"^(fig(?:ure|\.)?\s*\d+)\s*[.:]\s*", re.IGNORECASE)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a line, each without its full stop."""
    # The full stop of `Fig. 2.` ends no sentence.
    text = _FIGURE.sub(r"\1: ", text)
    for sentence in _SENTENCE.split(text):
        # A title keeps its question mark.
        ends = ".!" if sentence.lstrip().lower().startswith("title") else ".!?"
        stripped = sentence.strip().rstrip(ends).strip()
        if stripped:
            yield stripped
