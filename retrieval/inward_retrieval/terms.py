"""Text to search terms: lower case, split at everything but letters and digits, stemmed.

What a reader takes for one word is one term, however it is encoded (NFKC): a letter and its accent
or vowel sign, a ligature and its letters, full-width forms, a word with a soft hyphen or a joiner
in it. An apostrophe splits, whichever of its signs is used: the stems of `it's` and `it’s` are the
same, and possessives find their nouns.

Terms are UTF-8 bytes, which two C calls split however long the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import Stemmer

FORMAT = 1
"""Part of every index's key: to be raised with any change to what `words` or `stem` returns."""
UNICODE = unicodedata.unidata_version
"""Part of every index's key: which signs are letters differs between releases of Python."""
_SPACELESS = re.compile(
    "[\u3040-\u3098\u309d-\u30ff\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U00031fff]"
    # Thai, Lao, Burmese, Khmer: of these the letters, to which signs of other kinds belong.
    "|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
)
"""Scripts written without spaces; each letter, with its marks, is a term."""
_IGNORED = re.compile("[\u034f\u0640\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Seen by no reader, or a mere stretching of a line: joiners, variation selectors, tatweel."""
_APOSTROPHES = re.compile("[\u02b9-\u02bf\u02c8]")
"""Letters by Unicode's book, apostrophes by their use."""
_FRACTIONS = re.compile("[\u00bc-\u00be\u2150-\u215e\u2189]")
"""Set apart from the number before them: `2½` holds no 21."""
_ASCII = bytes(range(128))
_BYTES = bytes(
    code + 32 if 65 <= code <= 90 else code if code >= 128 or chr(code).isalnum() else 32
    for code in range(256)
)
"""Of UTF-8: lower case for ASCII letters, a space for what is neither letter nor digit there."""

_Kind = Literal["spaceless", "word", "mark", "ignored", "between"]


def words(text: str) -> list[bytes]:
    """The words of `text` in order, lower case, not stemmed: runs of letters, digits and their
    marks, and each letter by itself in scripts written without spaces. Half a surrogate pair is no
    letter."""
    if text.isascii():
        return text.encode().translate(_BYTES).split()
    if any(map(_FRACTIONS.match, _others(text))):
        text = _FRACTIONS.sub(r" \g<0>", text)
    text = _normal(text)
    kinds = _kinds(text)
    if "ignored" in kinds.values():
        # Again: they may have kept a letter from its accent.
        text = _normal("".join(sign for sign in text if kinds.get(sign) != "ignored"))
        kinds = _kinds(text)
    for sign, kind in kinds.items():
        if kind == "spaceless":
            text = text.replace(sign, f" {sign} ")
        elif kind == "between":
            text = text.replace(sign, " ")
    if "mark" in kinds.values():
        text = _with_marks(text, kinds)
    return text.encode().translate(_BYTES).split()


def stem(distinct: list[bytes]) -> list[bytes]:
    """The Snowball English stem of each word."""
    stemmed: list[bytes] = Stemmer.Stemmer("english").stemWords(distinct)
    return stemmed


def _normal(text: str) -> str:
    """Lower case in NFKC, the dot of İ left out."""
    text = unicodedata.normalize("NFKC", text).lower().replace("i\u0307", "i")
    return unicodedata.normalize("NFKC", text)  # lower case can part what was one sign


def _kinds(text: str) -> Mapping[str, _Kind]:
    return {sign: _kind(sign) for sign in _others(text)}


def _others(text: str) -> set[str]:
    """The distinct signs of `text` beyond ASCII."""
    others = text.encode("utf-8", "surrogatepass").translate(None, _ASCII)
    return set(others.decode("utf-8", "surrogatepass"))


@lru_cache(maxsize=4096)
def _kind(sign: str) -> _Kind:
    category = unicodedata.category(sign)
    if _IGNORED.match(sign) or category in ("Cf", "Me") and sign != "\u200b":
        return "ignored"  # a space of no width parts words all the same
    if category.startswith("M"):
        return "mark"
    if not sign.isalnum() or _APOSTROPHES.match(sign):
        return "between"
    return "spaceless" if category != "Nd" and _SPACELESS.match(sign) else "word"


def _with_marks(text: str, kinds: Mapping[str, _Kind]) -> str:
    """Each mark behind its letter, and none where there is no letter."""
    marks, spaceless = (
        "".join(sign for sign, kind in kinds.items() if kind == wanted)
        for wanted in ("mark", "spaceless")
    )
    if spaceless:
        text = re.sub(rf"([{spaceless}]) ([{marks}]+)", r"\1\2 ", text)
    return re.sub(rf"([^\W_][{marks}]+)|[{marks}]+", r"\1", text)
