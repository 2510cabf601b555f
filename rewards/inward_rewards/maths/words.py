"""Answers in words: names, choices, times of the day, dates."""

import re

from inward_rewards.maths import characters
from inward_rewards.maths.wrapping import TEXT_COMMAND, unwrapped

_TEXT_COMMAND = re.compile(rf"{TEXT_COMMAND}\s*\{{([^{{}}]*)\}}")
_PLAIN_TEXT = re.compile(r"[\w\s.,:;'()%-]+")
_TIME = re.compile(r"(?P<clock>\d{1,2}:\d\d)\s*(?P<half>[ap])?(?:\.?\s*m\.?)?")
_MONTHS = (
    "january february march april may june july august september october november december"
).split()
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_DATES = [re.compile(rf"{_MONTH}\s+{_DAY}"), re.compile(rf"{_DAY}\s+(?:of\s+)?{_MONTH}")]
_CHOICE = re.compile(r"(?P<mark>\(?)(?P<letter>[A-Ja-j])\)?[.:]?")
_CHOICE_WITH_TEXT = re.compile(r"(?:\((?P<one>[A-J])\)|(?P<two>[A-J])[).:])[.:]?\s+(?P<text>.+)")
_SECOND_CHOICE = re.compile(r"\([A-J]\)|\b[A-J]\)|\b(?:or|and)\b")


def equal(gold: str, answer: str) -> bool:
    one, other = _bare(gold), _bare(answer)
    return (
        _same(_words(one), _words(other))
        or _same_choice(one, other)
        or _same_time(one.lower(), other.lower())
        or _same(_date(one.lower()), _date(other.lower()))
    )


def _same(one: object, other: object) -> bool:
    return one is not None and one == other


def _bare(text: str) -> str:
    """Without delimiters and typesetting."""
    text = _TEXT_COMMAND.sub(r"\1", unwrapped(characters.plain(text)))
    return re.sub(r"\\[ ,;:!]|~", " ", text).strip()


def _words(text: str) -> str | None:
    """`6:00 p.m.` and `6:00 PM` are one. None where there is more than text, or no word."""
    if not _PLAIN_TEXT.fullmatch(text):
        return None
    text = re.sub(r"\.(?!\d)", "", text)
    text = re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text).lower()
    return text if re.search(r"[^\W\d_]{2}", text) else None


def _same_choice(gold: str, answer: str) -> bool:
    """`C)` for `(C)`, and `(C) 12`: what the letter stands for may be told with it."""
    plain = _CHOICE.fullmatch(gold), _CHOICE.fullmatch(answer)
    if all(plain) and any(len(match[0]) > 1 for match in plain if match):
        return len({match["letter"].upper() for match in plain if match}) == 1
    for one, other in ((gold, answer), (answer, gold)):
        letter, told = _CHOICE.fullmatch(one), _CHOICE_WITH_TEXT.fullmatch(other)
        if letter and told and not _SECOND_CHOICE.search(told["text"]):
            return letter["letter"].upper() == (told["one"] or told["two"])
    return False


def _same_time(gold: str, answer: str) -> bool:
    """The half of the day may be left out."""
    one, other = _TIME.fullmatch(gold), _TIME.fullmatch(answer)
    return bool(
        one
        and other
        and one["clock"] == other["clock"]
        and (one["half"] or other["half"])
        and (one["half"] is None or other["half"] is None or one["half"] == other["half"])
    )


def _date(text: str) -> tuple[str, int] | None:
    """`June 20` and `20 June`."""
    for pattern in _DATES:
        if match := pattern.fullmatch(text):
            return match["month"], int(match["day"])
    return None
