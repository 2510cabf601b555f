"""Which brackets of an answer belong together."""

import re
from collections.abc import Iterator

# An escaped brace is a bracket of its own, which set braces need.
_BRACKET = re.compile(r"\\[{}]|\\.|[][(){}]", re.DOTALL)
_OPENING = {"(", "[", "{", r"\{"}
_CLOSING = {")", "]", "}", r"\}"}


def _depths(text: str) -> Iterator[tuple[int, int, int]]:
    """(start, end, depth behind it) of every bracket; an interval's may be of two kinds."""
    depth = 0
    for match in _BRACKET.finditer(text):
        if match[0] in _OPENING:
            depth += 1
        elif match[0] in _CLOSING:
            depth -= 1
        else:
            continue
        yield match.start(), match.end(), depth


def closing(text: str, start: int) -> int | None:
    """Where the text goes on behind the bracket that opens at `start`; None: it never closes."""
    for _, end, depth in _depths(text[start:]):
        if depth <= 0:
            return start + end
    return None


def depth_at(text: str, position: int) -> int:
    depth = 0
    for start, _, behind in _depths(text):
        if start >= position:
            break
        depth = behind
    return depth


def split_at_commas(text: str) -> list[str]:
    """The items that commas outside all brackets part."""
    items, last = [], 0
    level = {start: depth for start, _, depth in _depths(text)}
    depth = 0
    for position, sign in enumerate(text):
        depth = level.get(position, depth)
        if sign == "," and depth <= 0:
            items.append(text[last:position].strip())
            last = position + 1
    return [*items, text[last:].strip()]


def enclosed(text: str) -> bool:
    """Whether the first bracket closes with the last sign."""
    return bool(text) and closing(text, 0) == len(text)
