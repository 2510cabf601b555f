"""Text to search terms: lower case, split at everything but letters and digits, stemmed.

Terms are UTF-8 bytes, which two C calls split however long the text.
"""

from __future__ import annotations

import re
import unicodedata

import Stemmer

_SPACELESS = re.compile(
    "[\u3040-\u3098\u309d-\u30ff\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U00031fff]"
)
"""Scripts written without spaces; each character is a term."""
_ASCII = bytes(range(128))
_BYTES = bytes(
    code + 32 if 65 <= code <= 90 else code if code >= 128 or chr(code).isalnum() else 32
    for code in range(256)
)
"""Of UTF-8: lower case for ASCII letters, a space for what is neither letter nor digit there."""


def words(text: str) -> list[bytes]:
    """The words of `text` in order, lower case, not stemmed: runs of letters and digits, and each
    character by itself in scripts written without spaces. Half a surrogate pair is no letter."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).lower()
        others = text.encode("utf-8", "surrogatepass").translate(None, _ASCII)
        for sign in set(others.decode("utf-8", "surrogatepass")):
            if _SPACELESS.match(sign):
                text = text.replace(sign, f" {sign} ")
            elif not sign.isalnum():
                text = text.replace(sign, " ")
    return text.encode().translate(_BYTES).split()


def stem(distinct: list[bytes]) -> list[bytes]:
    """The Snowball English stem of each word."""
    stemmed: list[bytes] = Stemmer.Stemmer("english").stemWords(distinct)
    return stemmed
