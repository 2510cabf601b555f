"""Units in an answer: taken off, and told apart where both sides name one.

math-verify's own removal of units is switched off: it also removes variables that are spelled like
a unit, so that it reads `8t` and `3ab` as 8 and 3, and `x^2 + c` as nothing.
"""

import re
from typing import NamedTuple

_NAMES = {
    "mm": "mm millimeter millimetre",
    "cm": "cm centimeter centimetre",
    "m": "m meter metre",
    "km": "km kilometer kilometre",
    "in": "in inch inches",
    "ft": "ft foot feet",
    "yd": "yd yard",
    "mi": "mi mile",
    "g": "g gram",
    "kg": "kg kilogram",
    "lb": "lb lbs pound",
    "oz": "oz ounce",
    "L": "L liter litre",
    "mL": "mL ml milliliter millilitre",
    "gal": "gal gallon",
    "s": "s sec second",
    "min": "min minute",
    "h": "h hr hrs hour",
    "day": "day",
    "week": "week",
    "month": "month",
    "year": "yr yrs year",
    "mi/h": "mph miles/hour",
    "km/h": "kph kmh km/h km/hr",
    "m/s": "m/s",
    "dollar": "dollar USD",
    "cent": "cent",
    "degree": "degree deg",
}
_COUNTED = "unit way people person student point digit time solution card coin page triangle"
_UNITS = {name: unit for unit, names in _NAMES.items() for name in names.split()}
_UNITS |= {f"{name}s": unit for name, unit in _UNITS.items() if len(name) > 2}

_PREFIX = r"(?P<prefix>square|sq\.?|cubic|cu\.?)?"
_POWER = r"(?:\^\{?(?P<power>\d)\}?)?"
_PREFIX_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_COUNTED_NAMES = [f"{noun}s" for noun in _COUNTED.split()] + _COUNTED.split()
_PLAIN_NAMES = "|".join(map(re.escape, sorted([*_UNITS, *_COUNTED_NAMES], key=len, reverse=True)))
# `15 cm^2`, `70mph`. A single letter right behind a number is a variable: `3m`, `8s`.
_PLAIN = re.compile(
    rf"(?<=[\d)}}\s])(?P<space>\s*){_PREFIX}\s*(?P<name>{_PLAIN_NAMES})(?P<dot>\.?){_POWER}$"
)
# Any words at all in a text command: `\text{ inches}^2`, `\text{ students}`.
_TEXT = re.compile(rf"\s*\\text\s*\{{\s*(?P<words>[^{{}}\d]*)\}}\s*{_POWER}$")
_DOLLARS = re.compile(r"\\?\$\s*(?=[-\d.])")
_NUMERIC_END = re.compile(r"(?:[\d)}]|\\pi)\s*$")
_WORDS = re.compile(rf"{_PREFIX}\s*(?P<name>[A-Za-z/]+)\.?")


class Quantity(NamedTuple):
    value: str
    unit: tuple[str, int] | None  # a known unit and its power


def split(text: str) -> Quantity:
    """An answer's text without its unit."""
    if match := _DOLLARS.match(text):
        return Quantity(split(text[match.end() :]).value, ("dollar", 1))
    if (match := _TEXT.search(text)) and _is_value(text[: match.start()]):
        words = _WORDS.fullmatch(match["words"].strip())
        unit = _known(words, match["power"]) if words else None
        return Quantity(text[: match.start()].rstrip(), unit)
    if (match := _PLAIN.search(text)) and _NUMERIC_END.search(text[: match.start()]):
        attached = not (match["space"] or text[match.start() - 1].isspace())
        if not (attached and len(match["name"]) == 1):
            return Quantity(text[: match.start()].rstrip(), _known(match, match["power"]))
    return Quantity(text, None)


def _is_value(text: str) -> bool:
    """Whether a unit may follow: not nothing, not `x +`, not `3 \\text{ and }`."""
    text = text.rstrip()
    return bool(text) and not re.search(r"[-+*/^=<>,;(\[{&\\]$|\\(?:cdot|times|pm|le|ge)$", text)


def _known(match: re.Match[str], power: str | None) -> tuple[str, int] | None:
    unit = _UNITS.get(match["name"]) or _UNITS.get(match["name"].lower())
    if unit is None:
        return None
    prefix = (match["prefix"] or "").rstrip(".")
    return unit, _PREFIX_POWERS.get(prefix) or int(power or 1)
