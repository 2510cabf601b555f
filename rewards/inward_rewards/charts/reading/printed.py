"""Numbers as charts print them: with commas, a currency, an SI prefix, a per cent sign."""

from __future__ import annotations

import re

PRINTED = re.compile(
    r"[^\d.+-]*(?P<digits>[+-]?(?:\d+(?:\.(?P<decimals>\d*))?|\.(?P<bare>\d+)))"
    r"(?:e(?P<power>[+-]?\d{1,2}))?\s*(?P<prefix>[kMGBTPmµn%]?)[^\d]*"
)
"""A number as d3 formats it, without its thousands' commas and with a hyphen for the minus."""
ALONE = re.compile(r"[-+\N{MINUS SIGN}]?[$€£]?[-+\N{MINUS SIGN}]?[\d.,]*\d\.?\s?[kKMB%]?")
"""A name that is nothing but a number."""
MAGNITUDES = {"thousand": 1e3, "million": 1e6, "mn": 1e6, "billion": 1e9, "bn": 1e9}
"""Words behind a number."""
CURRENCY = str.maketrans("", "", "$€£")
PREFIXES = {
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "G": 1e9,
    "B": 1e9,
    "T": 1e12,
    "P": 1e15,
    "%": 1e-2,
    "m": 1e-3,
    "µ": 1e-6,
    "n": 1e-9,
}


def number(text: str) -> float | None:
    """The number that a text is, or None."""
    if not ALONE.fullmatch(text):
        return None
    plain = text.replace("\N{MINUS SIGN}", "-").replace(",", "").replace(" ", "")
    unit = PREFIXES.get(plain[-1], 1.0)
    try:
        return float(re.sub(r"[$€£kKMB%]", "", plain)) * unit
    except ValueError:
        return None


def one_number(text: str) -> float | None:
    """The number that a text is, or the one that stands in it among words."""
    found = PRINTED.fullmatch(_plain(text.translate(CURRENCY)))
    alone = number(text)
    if alone is not None or found is None:
        return alone
    return float(found["digits"]) * 10.0 ** int(found["power"] or 0)


def says(text: str, value: float) -> bool:
    """Whether the one number of a text is the value, as `prints` has it, or its millions where the
    text says so."""
    text = text.translate(CURRENCY)
    word = next((w for w in MAGNITUDES if re.search(rf"\d\s*{w}\b", text.casefold())), None)
    return prints(text, value) or (word is not None and prints(text, value / MAGNITUDES[word]))


def prints(text: str, value: float) -> bool:
    """Whether a text is the value, to the last place that it gives and to a tenth of the value."""
    found = PRINTED.fullmatch(_plain(text))
    if found is None:
        return False
    decimals = len(found["decimals"] or found["bare"] or "")
    power = int(found["power"] or 0)
    for unit in {1.0, PREFIXES.get(found["prefix"], 1.0)}:
        shown = float(found["digits"]) * 10.0**power * unit
        place = 10.0 ** (power - decimals) * unit
        if abs(shown - value) <= max(min(0.6 * place, 0.1 * abs(value)), 1e-9 * abs(value)):
            return True
    return False


def _plain(text: str) -> str:
    return text.replace("\N{MINUS SIGN}", "-").replace(",", "")
