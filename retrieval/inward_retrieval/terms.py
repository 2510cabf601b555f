"""Text to search terms: lower case, split at everything but letters and digits, stemmed.

Terms are UTF-8 bytes: ASCII text, most of every English story, is then split by two C calls.
"""

from __future__ import annotations

import re
import unicodedata

import Stemmer

_WORD = re.compile(r"[^\W_]+")
_SPACELESS = re.compile(
    "[\u3040-\u3098\u309d-\u30ff\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U00031fff]"
)
"""Scripts written without spaces; each character is a term."""
_ASCII = bytes(
    code + 32 if 65 <= code <= 90 else code if chr(code).isalnum() and code < 128 else 32
    for code in range(256)
)
_PUNCTUATION = ("\u2014", "\u2013", "\u2018", "\u2019", "\u201c", "\u201d", "\u2026", "\u00a0")
"""The non-ASCII characters that English prose is full of; without them it is mostly ASCII."""


def words(text: str) -> list[bytes]:
    """The words of `text` in order, lower case, not stemmed. Half a surrogate pair is no letter."""
    if not text.isascii():
        for sign in _PUNCTUATION:
            text = text.replace(sign, " ")
    if text.isascii():
        return text.encode("ascii").translate(_ASCII).split()
    text = unicodedata.normalize("NFKC", text).lower()
    spaced = _SPACELESS.sub(r" \g<0> ", text)
    return [word.encode() for word in _WORD.findall(spaced)]


def stem(distinct: list[bytes]) -> list[bytes]:
    """The Snowball English stem of each word."""
    stemmed: list[bytes] = Stemmer.Stemmer("english").stemWords(distinct)
    return stemmed
