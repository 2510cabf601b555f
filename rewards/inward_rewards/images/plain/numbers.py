"""Numbers, dates and colours as people write them in English."""

from __future__ import annotations

import re
from datetime import date

from inward_rewards.images.plain.chart import Number

NUMBER = (
    r"(?<![\w.\-−/–+#])[-−+]?[$€£]?(?:\d{1,3}(?:,\d{3}){1,12}(?!\d|,\d)|\d+)(?:\.\d+)?"
    r"(?:[eE][-+]?\d{1,2})?"
    r"(?:\s?%|\s?(?:per ?cent|thousand|million|billion|trillion)\b|[kKMG]\b)?"
    r"(?![\w+]|[-–/]\w|\.\d)"
)
"""A number that stands alone: not the digits of `ResNet-50`, `18-29`, `2018/19` or `50+`."""
NUMBERS = re.compile(NUMBER)
_PARTS = re.compile(r"([-−+]?)([$€£]?)([\d,]+)(\.\d+)?([eE][-+]?\d+)?\s?(%|per ?cent|[a-zA-Z]*)")
_SHORT = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}
_WORDS = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
RANGE = re.compile(rf"({NUMBER})\s*(?:to|and|through|until|–|—|-|\.\.\.?)\s*({NUMBER})")
TIGHT_RANGE = re.compile(r"(?<![\d.,])(-?[\d.,]{0,20}\d%?)\s*[-–—]\s*(-?\d[\d,]*(?:\.\d+)?%?)")
"""`0-10`, `0–1,000`: a bin or a range whose ends touch the dash."""

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = re.compile(r"([A-Za-z]{3,9})\.?,?\s+(\d{4})")
_DAY = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")


def number(text: str) -> Number | None:
    """The number that `text` is, or None."""
    text = text.strip()
    if len(text) > 40 or not NUMBERS.fullmatch(text):
        return None
    match = _PARTS.fullmatch(text)
    if match is None:
        return None
    sign, money, whole, part, power, unit = match.groups()
    value = float(f"{whole.replace(',', '')}{part or ''}{power or ''}") * _SHORT.get(unit, 1.0)
    return Number(
        -value if sign in ("-", "−") else value,
        percent=unit.startswith("per") or unit == "%",
        money=bool(money),
        short=_SHORT.get(unit, 0.0),
        thousands="," in whole,
        decimals=len(part) - 1 if part and not power else 0,
        scale=_WORDS.get(unit, 1.0),
        power=bool(power) and whole == "1" and not part,
    )


def numbers(text: str) -> list[Number]:
    """All numbers of `text`, in order."""
    found = (number(match.group()) for match in NUMBERS.finditer(text))
    return [item for item in found if item is not None]


def plain_number(text: str) -> float | None:
    """The value of a number that is nothing but digits, for places on an axis."""
    found = number(text)
    if found is None or found.percent or found.money or found.scale != 1.0:
        return None
    return found.value


def iso_date(text: str) -> str | None:
    """`Nov 2003`, `November 2003`, `2003-11` and `2003-11-01` as `2003-11-01`."""
    text = text.strip()
    if match := _DAY.fullmatch(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3] or 1)
    elif (match := _MONTH.fullmatch(text)) and match[1][:3].lower() in MONTHS:
        year, month, day = int(match[2]), MONTHS.index(match[1][:3].lower()) + 1, 1
    else:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


COLORS = {
    "blue": "#4c78a8", "orange": "#f58518", "green": "#54a24b", "red": "#e45756",
    "teal": "#72b7b2", "cyan": "#17becf", "turquoise": "#40b0a6", "purple": "#b279a2",
    "violet": "#9467bd", "pink": "#ff9da6", "magenta": "#d6278a", "brown": "#9d755d",
    "yellow": "#eeca3b", "gold": "#e6ab02", "gray": "#9a9a9a", "grey": "#9a9a9a",
    "black": "#000000", "white": "#ffffff", "navy": "#1f2f5f", "beige": "#f5f0dc",
    "olive": "#808000", "maroon": "#800000", "salmon": "#fa8072", "lime": "#8fd744",
    "indigo": "#4b0082", "crimson": "#c0143c", "coral": "#ff7f50", "tan": "#c9a66b",
}  # fmt: skip
"""What a colour's name is drawn as: the middling shade that charts use for it."""
_SHADE = r"(?:(light|pale|dark|deep|bright|sky|royal|forest)[ -]?)?"
# Words that are looked up are of ASCII: else `ı` and `ſ`, which stay what they are in lower case,
# would stand for `i` and `s`. So in the other patterns of such words.
COLOR = re.compile(rf"#[0-9a-fA-F]{{6}}\b|\b{_SHADE}(?a:({'|'.join(COLORS)}))\b", re.IGNORECASE)


def color(text: str) -> str | None:
    """The first colour that `text` names, as `#rrggbb`."""
    match = COLOR.search(text)
    return None if match is None else _hex(match)


def colors(text: str) -> list[str]:
    """All colours that `text` names, in order."""
    return [_hex(match) for match in COLOR.finditer(text)]


def _hex(match: re.Match[str]) -> str:
    if match.group().startswith("#"):
        return match.group().lower()
    base, shade = COLORS[match.group(2).lower()], (match.group(1) or "").lower()
    part = {"light": 0.45, "pale": 0.6, "sky": 0.35, "dark": -0.35, "deep": -0.3}.get(shade, 0.0)
    part = -0.3 if shade == "forest" else part
    mixed = []
    for start in (1, 3, 5):
        channel = int(base[start : start + 2], 16)
        mixed.append(round(channel + (255 - channel) * part if part > 0 else channel * (1 + part)))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def number_format(found: list[Number]) -> str:
    """The d3 format in which numbers like these are written."""
    if not found:
        return ""
    decimals = max(item.decimals for item in found)
    if any(item.percent for item in found):
        return f".{decimals}%"
    if any(item.short for item in found):
        return ".4~s"
    money = "$" if any(item.money for item in found) else ""
    comma = "," if any(item.thousands for item in found) else ""
    return f"{money}{comma}.{decimals}f"
