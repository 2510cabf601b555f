"""What is written to a terminal: text that models and servers wrote, on streams of any encoding."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata
from typing import TextIO

PLAIN = str.maketrans({"–": "-", "—": "-", "─": "-", "·": "-", "→": "->", "…": "...", "’": "'"})
KEPT = "\n\t"
DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They reorder what stands around them."""


def printable(text: str) -> str:
    """The text with control characters as escapes, so that none reaches the terminal."""
    return "".join(_escaped(char) if _controls(char) else char for char in text)


def one_line(text: str) -> str:
    return printable(" ".join(text.split()))


def clipped(text: str, maximum: int) -> str:
    """The first `maximum` characters, and how many more there are."""
    left = len(text) - maximum
    return text if left <= 0 else f"{text[:maximum]}… ({left:,} characters more)"


def make_lossless() -> None:
    """What the encoding of stdout or stderr lacks is written as an escape, and never an error."""
    codecs.register_error("inward", _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="inward")


def is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


def _controls(char: str) -> bool:
    return (unicodedata.category(char) == "Cc" and char not in KEPT) or char in DIRECTIONS


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Our own signs have a plain form; everything else is escaped."""
    assert isinstance(error, UnicodeEncodeError)
    lost = error.object[error.start : error.end]
    plain = lost.translate(PLAIN)
    return plain.encode("ascii", "backslashreplace").decode(), error.end
