"""Units in an answer: taken off, and told apart where both sides name one.

math-verify's own removal of units is switched off: it also removes variables that are spelled like
a unit, so that it reads `8t` and `3ab` as 8 and 3, and `x^2 + c` as nothing.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from inward_rewards.maths.angles import DEGREE
from inward_rewards.maths.brackets import split_at_commas

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
    "cent": "cent ¢",
    "euro": "euro EUR €",
    "pound sterling": "£ GBP",
    "degree": "degree deg",
    "radian": "radian rad",
}
_COUNTED = (
    "unit way people person student point digit time solution card coin page triangle integer root "
    "number value factor divisor element pair triple sequence arrangement outcome subset term side "
    "vertex vertices edge face square"
)
_KINDS = "unit|different|distinct|real|complex|positive|negative|possible|total|prime|rational"
_UNITS = {name: unit for unit, names in _NAMES.items() for name in names.split()}
_UNITS |= {f"{name}s": unit for name, unit in _UNITS.items() if len(name) > 2}
_SCALES: dict[str, tuple[str, Fraction]] = {
    unit: (base, Fraction(scale))
    for base, scales in {
        "m": {"mm": "1/1000", "cm": "1/100", "m": "1", "km": "1000"},
        "ft": {"in": "1/12", "ft": "1", "yd": "3", "mi": "5280"},
        "g": {"g": "1", "kg": "1000"},
        "lb": {"oz": "1/16", "lb": "1"},
        "L": {"mL": "1/1000", "L": "1"},
        "s": {"s": "1", "min": "60", "h": "3600", "day": "86400", "week": "604800"},
        "dollar": {"cent": "1/100", "dollar": "1"},
    }.items()
    for unit, scale in scales.items()
}

_PREFIX = r"(?P<prefix>square|sq\.?|cubic|cu\.?)?"
_POWER = r"(?:\^\{?(?P<power>\d)\}?)?"
_PREFIX_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_COUNTED_NAMES = [f"{noun}s" for noun in _COUNTED.split()] + _COUNTED.split()
_PLAIN_NAMES = "|".join(map(re.escape, sorted([*_UNITS, *_COUNTED_NAMES], key=len, reverse=True)))
_PER = r"(?:\s*(?:/|per)\s*(?P<per>[A-Za-z]+))?"
# `15 cm^2`, `70mph`. A single letter right behind a number is a variable: `3m`, `8s`.
_PLAIN = re.compile(
    rf"(?<=[\d)}}\s])(?P<space>\s*){_PREFIX}\s*(?:(?:{_KINDS})\s+)*"
    rf"(?P<name>{_PLAIN_NAMES})(?P<dot>\.?){_POWER}(?:(?:\s+per\s+|/)(?P<per>[A-Za-z]+))?$"
)
# Any words at all in a text command: `\text{ inches}^2`, `\text{ students}`.
_TEXT = re.compile(rf"\s*\\text\s*\{{\s*(?P<words>[^{{}}\d]*)\}}\s*{_POWER}$")
_DENIAL = re.compile(r"\b(?:not|no|or|wrong|incorrect|false)\b", re.IGNORECASE)
# `\text{ kg}\cdot\text{m}`
_PRODUCT = re.compile(
    r"\s*\\text\s*\{[^{}\d]*\}(?:\^\{?-?\d\}?)?"
    r"(?:\s*(?:\\cdot|\\times|/|\*)\s*\\text\s*\{[^{}\d]*\}(?:\^\{?-?\d\}?)?)+$"
)
MODULUS = "mod "
"""A modulus is a unit of this name and the number."""
_MODULUS = re.compile(r"\s*\\text\{mod (?P<modulus>\d+)\}$")
_MONEY = {r"\$": "dollar", "$": "dollar", "USD": "dollar", "US$": "dollar", "€": "euro"}
_MONEY |= {"EUR": "euro", "£": "pound sterling", "GBP": "pound sterling"}
_MONEY_FIRST = re.compile(
    rf"(?P<sign>{'|'.join(map(re.escape, sorted(_MONEY, key=len, reverse=True)))})\s*(?=[-\d.])"
)
_TEMPERATURE = re.compile(rf"{DEGREE.pattern}\s*(?:\\text\s*\{{)?\s*(?P<scale>[CF])\s*\}}?$")
_DEGREES = re.compile(rf"{DEGREE.pattern}\s*$")
_NUMERIC_END = re.compile(r"(?:[\d)}]|\\pi|[\d)}]\^\\circ)\s*$")
_WORDS = re.compile(rf"{_PREFIX}\s*(?P<name>[A-Za-z/¢]+)\.?{_PER}")

_GROUPED = re.compile(r"\d,\d{3}(?!\d)")

Unit = tuple[str, int]
"""A known unit and its power."""


class Quantity(NamedTuple):
    value: str
    unit: Unit | None


def split(text: str) -> Quantity:
    """An answer's text without its unit; a list's items have one unit, or none is taken off."""
    items = [] if _GROUPED.search(text) else [_split(item) for item in split_at_commas(text)]
    if len(items) > 1 and any(item.unit for item in items):
        units = {item.unit for item in items}
        value, unit = ", ".join(item.value for item in items), units.pop()
        if units:
            value, unit = text, None
    else:
        value, unit = _split(text)
    return Quantity(DEGREE.sub("", value), unit)


def ratio(one: Unit, other: Unit) -> Fraction | None:
    """How many of `one` an `other` is; None: they measure different things."""
    if one == other:
        return Fraction(1)
    (base, scale), (base_of_other, scale_of_other) = (
        _SCALES.get(unit, (unit, Fraction(1))) for unit, _ in (one, other)
    )
    if base != base_of_other or one[1] != other[1]:
        return None
    return (scale_of_other / scale) ** one[1]


def _split(text: str) -> Quantity:
    if match := _MONEY_FIRST.match(text):
        return Quantity(_split(text[match.end() :]).value, (_MONEY[match["sign"]], 1))
    if match := _MODULUS.search(text):
        return Quantity(text[: match.start()], (MODULUS + match["modulus"], 1))
    if match := _TEMPERATURE.search(text):
        return Quantity(text[: match.start()], (match["scale"], 1))
    if match := _DEGREES.search(text):
        return Quantity(text[: match.start()], ("degree", 1))
    if (match := _PRODUCT.search(text)) and _is_value(text[: match.start()]):
        return Quantity(text[: match.start()].rstrip(), None)
    if (match := _TEXT.search(text)) and _is_value(text[: match.start()]):
        words = _WORDS.fullmatch(match["words"].strip())
        if not _DENIAL.search(match["words"]):
            unit = _known(words, match["power"]) if words else None
            return Quantity(text[: match.start()].rstrip(), unit)
    if (match := _PLAIN.search(text)) and _NUMERIC_END.search(text[: match.start()]):
        attached = not (match["space"] or text[match.start() - 1].isspace())
        if not (attached and len(match["name"]) == 1 and match["name"].isascii()):
            return Quantity(text[: match.start()].rstrip(), _known(match, match["power"]))
    return Quantity(text, None)


def _is_value(text: str) -> bool:
    """Whether a unit may follow: not nothing, not `x +`, not `3 \\text{ and }`."""
    text = text.rstrip()
    return bool(text) and not re.search(r"[-+*/^=<>,;(\[{&\\]$|\\(?:cdot|times|pm|le|ge)$", text)


def _known(match: re.Match[str], power: str | None) -> Unit | None:
    unit = _UNITS.get(match["name"]) or _UNITS.get(match["name"].lower())
    if unit is None:
        return None
    if match["per"]:
        per = _UNITS.get(match["per"].lower())
        return (f"{unit}/{per}", 1) if per else None
    prefix = (match["prefix"] or "").rstrip(".")
    return unit, _PREFIX_POWERS.get(prefix) or int(power or 1)
