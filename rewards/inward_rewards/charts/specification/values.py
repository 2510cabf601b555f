"""The values of single properties: texts, numbers, dashes, sides. Each is refused or cleaned."""

from __future__ import annotations

import re
from typing import Any

from inward_rewards.charts.specification import limits, schema
from inward_rewards.charts.specification.expressions import check_expression, check_format
from inward_rewards.charts.specification.refusal import refuse, show
from inward_rewards.charts.specification.schema import Property, property_of

_DECIMAL = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,2})?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\uf8ff\ufffe\uffff]")
_PATH = re.compile(r"\s*[Mm][\s\d.,-]")
_SPECIAL = re.compile(r"[.\[\]\\'\"]")


def check_word(text: str, key: str, kind: Property) -> Any:
    """A text as its property takes it: itself, a number, or lines."""
    check_text(text)
    if kind.words is not None and text not in kind.words:
        refuse(f"{show(key)} must be {kind.what}, not {show(text)}")
    if kind.refused and text in kind.refused:
        refuse(f"{key} {text!r}: {kind.refused[text]}")
    if kind.text == "expression":
        check_expression(text)
    elif kind.text == "number" and text not in schema.WORDS:
        if not _DECIMAL.fullmatch(text):
            refuse(f"{show(key)} must be a number, not {show(text)}")
        check_number(float(text), key)
        return float(text)
    elif kind.text == "lines" and "\n" in text:
        return text.split("\n")
    elif kind.text == "field" and _SPECIAL.search(text):
        refuse(f"field {show(text)}: a field name may not hold . [ ] \\ or quotes: rename it")
    elif kind.text == "format":
        check_format(text)
    elif kind.text == "no path" and _PATH.match(text):
        refuse(f"a path as a shape is not allowed: write one of {', '.join(sorted(limits.SHAPES))}")
    elif "url(" in text.lower() and key != "text":
        refuse("'url(' is not allowed: write a colour")
    return text


def check_number(number: float, key: str) -> None:
    """Refuses a number that is beyond what its property may be."""
    kind = property_of(key)
    if kind.least is not None and number < kind.least:
        refuse(f"{key!r} must be at least {kind.least:g}, not {show(number)}")
    if abs(number) > kind.number:
        refuse(f"{show(key)}: {show(number)} is more than the maximum, {kind.number:g}")


def check_dashes(dashes: list[Any]) -> list[Any]:
    """The lengths of dashes and gaps; none for a whole line."""
    if are_numbers(dashes) and len(dashes) == 2 and dashes[1] == 0:
        return []
    if len(dashes) > limits.MAX_DASHES or not all(
        isinstance(x, int | float) and x >= limits.MIN_DASH for x in dashes
    ):
        refuse(
            f"'strokeDash' must be at most {limits.MAX_DASHES} numbers of at least "
            f"{limits.MIN_DASH}, or [1, 0] for a whole line"
        )
    for dash in dashes:
        check_number(dash, "strokeDash")
    return dashes


def are_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )


def check_side(value: Any, key: str) -> Any:
    """A view's width or height: pixels, or pixels per category."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = float(value)
    if isinstance(value, dict):
        step = value.get("step")
        fits = (
            set(value) <= {"step", "for"}
            and isinstance(step, int | float)
            and limits.MIN_STEP <= step <= limits.MAX_STEP
        )
    else:
        fits = are_numbers([value]) and limits.MIN_SIDE <= value <= limits.MAX_SIDE
    if not fits:
        refuse(
            f"{key} must be a number from {limits.MIN_SIDE} to {limits.MAX_SIDE}, or a step from "
            f"{limits.MIN_STEP} to {limits.MAX_STEP}, not {show(value)}"
        )
    return value


def check_text(text: Any) -> str:
    """Refuses what is no text, is too long, or holds characters that no chart needs."""
    if not isinstance(text, str):
        refuse(f"{show(text)} must be a string")
    if len(text) > limits.MAX_STRING:
        refuse(f"a string has more than {limits.MAX_STRING} characters, shorten it: {show(text)}")
    if _CONTROL.search(text):
        refuse(f"control or private-use characters are not allowed: {show(text)}")
    return text
