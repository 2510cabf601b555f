"""What stands around an answer: delimiters, code fences, emphasis, quotes, a box.

The text is one answer. A single box with prose around it is that answer; a box inside a formula is
part of the formula, so that `-\\boxed{5}` is -5 and `x \\ne \\boxed{5}` is no 5. Prose is a clause
of plain words that offers no alternative and denies nothing: `6, or \\boxed{5}` and
`\\boxed{5} is wrong` are no 5 either.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from inward_rewards.maths.brackets import closing

_DELIMITERS = [("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("`", "`"), ('"', '"')]
_DELIMITERS += [("**", "**"), ("__", "__"), ("``", "''"), ("*", "*"), ("'", "'")]
# Commands that set words in a type of their own.
TEXT_COMMAND = (
    r"\\(?:text(?:bf|it|rm|normal|sf|tt|sc|up|sl)?|math(?:rm|bf|it|sf|tt)|mbox|emph|underline)"
    r"(?![a-zA-Z])"
)
_ENVIRONMENT = re.compile(
    r"\\begin\{(?P<name>(?:equation|align|aligned|gather|gathered|split|math|displaymath)\*?)\}"
    r"(?P<inner>.*)\\end\{(?P=name)\}",
    re.DOTALL,
)
_FENCE = re.compile(r"```+(?:[a-zA-Z]*\s+)?(?P<inner>[^`]*?)\s*```+")
_END = re.compile(r"(?:\s|\\\\|(?<!\\)\.)+$")


def unwrapped(text: str) -> str:
    """The answer alone, and no delimiter in it."""
    return _without_delimiters(_unboxed(_peeled(text)))


def _peeled(text: str) -> str:
    """Without what stands around the whole of it."""
    text = _END.sub("", text).lstrip()
    if match := _FENCE.fullmatch(text):
        return _peeled(match["inner"])
    if (match := _ENVIRONMENT.fullmatch(text)) and r"\\" not in _END.sub("", match["inner"]):
        return _peeled(match["inner"].replace("&", " "))
    for left, right in _DELIMITERS:
        inner = text[len(left) : -len(right)]
        if text.startswith(left) and text.endswith(right) and inner and left not in inner:
            return _peeled(inner)
    boxes = list(_boxes(text))
    if len(boxes) == 1 and (boxes[0].start, boxes[0].end) == (0, len(text)):
        return _peeled(boxes[0].content)
    return text


class _Box(NamedTuple):
    start: int
    end: int
    content: str


_BOX = re.compile(r"\\(?:boxed|fbox)\s*(?:(?P<one>[0-9a-zA-Z])|\{)")


def _boxes(text: str) -> Iterator[_Box]:
    """Boxes that are in no other box; one that never closes is none."""
    position = 0
    while match := _BOX.search(text, position):
        end = match.end() if match["one"] else closing(text, match.end() - 1)
        if end is None:
            return
        yield _Box(match.start(), end, match["one"] or text[match.end() : end - 1])
        position = end


def _unboxed(text: str) -> str:
    boxes = list(_boxes(text))
    if len(boxes) == 1:
        box = boxes[0]
        before, left = _cut_at_delimiter(text[: box.start])
        right, after = _cut_at_closing(text[box.end :], inside=left is not None)
        if left is None:
            before = _LABEL.sub("", before)
        if _prose_before(before) and _prose_after(after):
            return _in_formula(f"{left or ''}{text[box.start : box.end]}{right}")
    return _in_formula(text)


def _in_formula(text: str) -> str:
    parts, position = [], 0
    for box in _boxes(text):
        parts.append(text[position : box.start])
        inner = _unboxed(_peeled(box.content))
        alone = _ALONE_LEFT.search("".join(parts)) and _ALONE_RIGHT.match(text, box.end)
        parts.append(inner if alone else f"({inner})")
        position = box.end
    return "".join(parts) + text[position:]


_LABEL = re.compile(r"(?<![\w\\])[a-zA-Z]\s*=\s*$")
# Where a box's content needs no brackets of its own.
_RELATION = r"\\(?:ne|neq|le|leq|ge|geq|lt|gt|in|approx|quad)\s*"
_ALONE_LEFT = re.compile(rf"(?:^|[={{(\[,$<>&]|{_RELATION}|\\text\s*\{{[^{{}}]*\}})\s*$")
_ALONE_RIGHT = re.compile(r"\s*(?:$|[=})\],.$<>&]|\\text(?![a-zA-Z])|\\\\)")
_OPENING = re.compile(r"(?<!\\)(?:\$\$?|\\\(|\\\[)")
_CLOSING = re.compile(r"(?<!\\)(?:\$\$?|\\\)|\\\])")


_UNIT = re.compile(r"\s*\\text\s*\{[^{}]*\}(?:\^\{?\d\}?)?")


def _cut_at_delimiter(text: str) -> tuple[str, str | None]:
    """What precedes the formula that the text ends in, and the formula's beginning if it is one."""
    signs = list(_OPENING.finditer(text))
    if not signs:
        return text, None
    dollars = sum("$" in sign[0] for sign in signs)
    last = signs[-1]
    if ("$" in last[0] and dollars % 2 == 0) or _CLOSING.search(text, last.end()):
        return text, None
    return text[: last.start()], text[last.end() :]


def _cut_at_closing(text: str, *, inside: bool) -> tuple[str, str]:
    if inside and (sign := _CLOSING.search(text)):
        return text[: sign.start()], text[sign.end() :]
    if inside:
        return text, ""
    unit = _UNIT.match(text)
    return (unit[0], text[unit.end() :]) if unit else ("", text)


_COMMAND = re.compile(r"\\text(?:bf|it|rm)?\s*\{([^{}]*)\}|\*\*")
_WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*")
_TURN = re.compile(
    r"or|and|nor|not|no|either|neither|maybe|perhaps|wrong|incorrect|false|never|unlike|\w+n't",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?:[A-Za-z)}$]\s*[.:!?]|[.:!?]\s)\s*$")


def _prose_before(text: str) -> bool:
    text = _COMMAND.sub(r"\1", text)
    if not text.strip() or _SENTENCE_END.search(text):
        return True
    return _words_alone(re.split(r"(?<=[.:!?,;])\s+|\n", text.rstrip(", \n"))[-1])


def _prose_after(text: str) -> bool:
    text = _COMMAND.sub(r"\1", text).strip()
    if not text or re.match(r"[.?](?:\s|$)", text):
        return True
    return _words_alone(re.split(r"[.,:;!?](?:\s|$)|\n", text.lstrip(",; "))[0])


def _words_alone(clause: str) -> bool:
    words = clause.split()
    return (
        all(_WORD.fullmatch(word) for word in words)
        and any(len(word) > 1 for word in words)
        and not any(_TURN.fullmatch(word) for word in words)
    )


_DIMENSION = r"\[\s*-?[\d.]+\s*(?:pt|em|ex|cm|mm|in|mu)\s*\]"
_ROW_SPACE = re.compile(rf"\\\\(?:\*\s*(?:{_DIMENSION})?|\s*{_DIMENSION})")
_DOLLAR = re.compile(r"(?<!\\)\$")
_BRACKET = re.compile(r"(?<!\\)\\[()\[\]]")


def _without_delimiters(text: str) -> str:
    """Several formulas side by side stay apart: `5 $6$` is a list."""
    text = _ROW_SPACE.sub(r"\\\\ ", text)
    if len(_DOLLAR.findall(text)) % 2 == 0:
        text = _DOLLAR.sub(" ", text)
    return _BRACKET.sub(" ", text).strip()
