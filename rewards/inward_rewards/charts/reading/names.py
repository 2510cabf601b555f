"""What a printed name says: a month, an hour or a bin is the same place however it is written.

Whether an axis is of time or of names cannot be seen, so names that print a period become what a
time axis gives for it (`scene.Row` has the forms), and names of bins their middles.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from datetime import date

import numpy as np

from inward_rewards.charts.reading.scene import Key

MONTHS = (
    "january february march april may june july august september october november december"
).split()
HYPHENS = dict.fromkeys((0x2010, 0x2011), "-")
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTH = rf"(?P<month>{'|'.join(f'{m[:3]}(?:{m[3:]})?' for m in MONTHS)}|sept)\.?"
_YEAR, _DAY = r"(?P<year>[12]\d{3})", r"(?P<day>\d{1,2})"
_NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?:{_DAY} )?{_MONTH}[ ,/-]+{_YEAR}",
        rf"{_MONTH} {_DAY},? {_YEAR}",
        rf"{_DAY}-{_MONTH}-{_YEAR}",
        rf"{_MONTH}(?:-'?| ?')(?P<short>\d\d)",
        rf"{_YEAR}[ -]{_MONTH}",
        rf"{_YEAR}([-/.])(?P<number>\d{{1,2}})(?:\2{_DAY})?",
        rf"(?P<number>\d{{1,2}})[-/.]{_YEAR}",
        rf"(?P<first>\d{{1,2}})([-/.])(?P<second>\d{{1,2}})\2{_YEAR}",
        rf"{_YEAR}[ -]*Q(?P<quarter>[1-4])",
        rf"Q(?P<quarter>[1-4])[ /-]*{_YEAR}",
        r"Q(?P<quarter>[1-4])(?:[/-]| *')(?P<short>\d\d)",
    )
)
_MONTH_DAY = re.compile(
    rf"(?:{_MONTH} {_DAY}|(?P<day_before>\d{{1,2}}) {_MONTH.replace('<month>', '<month_after>')})",
    re.IGNORECASE,
)
_STAMP = re.compile(r"(?P<day>[12]\d{3}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d(?::\d\d(?:\.\d+)?)?)Z?")
_HOUR = re.compile(
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?(?P<half> ?[ap]\.?m\.?)?", re.IGNORECASE
)
_BIN = re.compile(
    rf"[\[(]?\s*(?P<low>{_NUMBER})\s*(?:-|\u2013|\u2014|\bto\b|,\s)\s*(?P<high>{_NUMBER})\s*[\])]?",
    re.IGNORECASE,
)


_SHAPES = tuple(
    (frozenset(units.split()), re.compile(shape))
    for units, shape in (
        ("month", "|".join(month[:3].title() for month in MONTHS)),
        ("day", "|".join(day[:3].title() for day in WEEKDAYS)),
        ("month date", r"[A-Z][a-z]{2} \d{1,2}"),
        ("hours", r"\d\d:\d\d"),
    )
)
"""What labels without a year may look like, and the units of time that they print."""
DATED = (
    *_SHAPES[:2],
    (_SHAPES[2][0], re.compile(rf"(?:{_SHAPES[0][1].pattern}) \d{{1,2}}")),
)
"""Those of days, of which the name of a month is sure to be one."""


def seen(text: str) -> str:
    """A text without the characters that have no shape, and with one sort of hyphen."""
    shaped = (letter for letter in text if unicodedata.category(letter) != "Cf")
    return "".join(shaped).translate(HYPHENS)


def plain(text: str) -> str:
    """A text as it is seen: one sort of space, none at the ends."""
    return " ".join(unicodedata.normalize("NFKC", seen(text)).split())


def meaning(name: str) -> Key:
    """The period or the bin that a name prints, or the name."""
    name = plain(name)
    for form in _FORMS:
        if found := form.fullmatch(name):
            day = _day({k: v for k, v in found.groupdict().items() if v})
            if day is not None:
                return day
    if found := _STAMP.fullmatch(name):
        try:
            return _iso(np.datetime64(f"{found['day']}T{found['time']}", "ms"))
        except ValueError:  # 30 February, 24:00: a name
            return name
    word = name.casefold().rstrip(".")
    for members in (MONTHS, WEEKDAYS):
        for member in members:
            if word in (member, member[:3]):
                return member[:3].title()
    return _month_day(name) or _hour(name) or _bin(name)


def of_time(value: np.datetime64, units: frozenset[str] = frozenset()) -> str:
    """A time as a key: whole, or by the units that its scale keeps of it."""
    day: date = value.astype("datetime64[D]").item()
    if not units or "year" in units:
        return _iso(value)
    if "day" in units:
        return WEEKDAYS[day.weekday()][:3].title()
    if "quarter" in units:
        return f"Q{(day.month + 2) // 3}"
    if "month" in units:
        month = MONTHS[day.month - 1][:3].title()
        return f"{month} {day.day}" if "date" in units else month
    if "date" in units:
        return str(day.day)
    if "hours" in units:
        return str(value)[11:16]
    return _iso(value)


def without_year(keys: Collection[str], texts: Sequence[str]) -> dict[str, str]:
    """ISO times whose labels print no year, by what is left of them: months, or hours of a day."""
    years = {key[:4] for key in keys}
    printed = " ".join(texts)
    if not keys or any(year in printed or f"'{year[2:]}" in printed for year in years):
        return {}
    times = {key: np.datetime64(key, "ms") for key in keys}
    said = {str(meaning(text)) for text in texts}
    for units, shape in _SHAPES:
        shorter = {key: of_time(time, units) for key, time in times.items()}
        # Labels are thinned out, so some are enough; but each must stand for one key alone.
        if any(map(shape.fullmatch, said)) and len(set(shorter.values())) == len(keys):
            return shorter
    return {}


def _iso(value: np.datetime64) -> str:
    return str(value).removesuffix("T00:00:00.000")


def _day(found: dict[str, str]) -> str | None:
    if "short" in found:
        found["year"] = f"20{found['short']}"
    if "quarter" in found:
        month, day = 3 * int(found["quarter"]) - 2, 1
    elif "first" in found:
        # Month first, as most charts are written, wherever that can be.
        month, day = int(found["first"]), int(found["second"])
        month, day = (day, month) if month > 12 else (month, day)
    else:
        named = [name[:3] for name in MONTHS]
        month = 1 + named.index(found["month"][:3].lower()) if "month" in found else 0
        month, day = month or int(found["number"]), int(found.get("day", 1))
    try:
        return date(int(found["year"]), month, day).isoformat()
    except ValueError:
        return None


def _month_day(name: str) -> str | None:
    found = _MONTH_DAY.fullmatch(name)
    if found is None:
        return None
    month = (found["month"] or found["month_after"])[:3].title()
    return f"{month} {int(found['day'] or found['day_before'])}"


def _hour(name: str) -> str | None:
    found = _HOUR.fullmatch(name)
    if found is None or not (found["minute"] or found["half"]):
        return None
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if found["half"]:
        hour = hour % 12 + (12 if "p" in found["half"].casefold() else 0)
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def _bin(name: str) -> Key:
    found = _BIN.fullmatch(name)
    if found is None:
        return name
    low, high = (float(found[end].replace(",", "")) for end in ("low", "high"))
    return (low + high) / 2 if high > low else name
