"""Degrees: part of a value inside trigonometric functions, a unit elsewhere."""

import re

from inward_rewards.maths.brackets import closing

DEGREE = re.compile(r"\s*\^\s*(?:\\circ(?![a-zA-Z])|\{\s*\\circ\s*\})")
_FUNCTION = re.compile(
    r"(?P<name>\\(?:sin|cos|tan|cot|sec|csc)(?![a-zA-Z])(?:\s*\^\s*(?:\{-?\d\}|\d))?"
    r"|(?P<cis>\\text\s*\{\s*cis\s*\}|\\operatorname\s*\{\s*cis\s*\}|\\?\bcis(?![a-zA-Z])))"
    r"\s*(?:\\left\s*(?=\())?"
)
# Where an argument without brackets ends.
_END = re.compile(r"[-+=,;<>)\]}]|\\(?:cdot|times|sin|cos|tan|cot|sec|csc|right|text)(?![a-zA-Z])")


def in_functions(text: str) -> str:
    """`\\sin(90^\\circ - x)` in radians; `\\text{cis} 60^\\circ` as a power of e."""
    parts, position = [], 0
    while match := _FUNCTION.search(text, position):
        argument, end = _argument(text, match.end())
        if not match["cis"] and not DEGREE.search(argument):
            parts.append(text[position : match.end()])
            position = match.end()
            continue
        radians = in_radians(argument)
        written = f"e^{{i({radians})}}" if match["cis"] else f"{match['name']}({radians})"
        parts.append(text[position : match.start()] + written)
        position = end
    return "".join(parts) + text[position:]


def in_radians(text: str) -> str:
    return DEGREE.sub(r" \\cdot \\frac{\\pi}{180} ", text)


def _argument(text: str, start: int) -> tuple[str, int]:
    """A function's argument, and where the text goes on."""
    if text[start : start + 1] in ("(", "{") and (end := closing(text, start)):
        return text[start + 1 : end - 1].removesuffix(r"\right"), end
    position = start
    while position < len(text) and not _END.match(text, position):
        inside = text[position] in "({[" and closing(text, position)
        position = inside or position + 1
    return text[start:position], position
