"""Whether texts are in one language. Needs `pip install "inward-rewards[languages]"`."""

from __future__ import annotations

import re
import threading
from functools import cache
from typing import Any

MIN_LETTERS = 20
"""A text with fewer says too little of its language, and agrees with any."""
MAX_CHARS = 4000
"""Of a text that is read."""
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_FORMULA = re.compile(
    r"\$\$.*?(?:\$\$|\Z)|\$[^$\n]*\$|\\\(.*?(?:\\\)|\Z)|\\\[.*?(?:\\\]|\Z)|\\[A-Za-z]+", re.DOTALL
)
_turn = threading.Lock()


def one_language(*texts: str) -> bool:
    """Whether all that say enough are in one language, code and formulas left out.

    By langdetect, seeded, with Chinese in either script as one. Magistral (arXiv 2506.10910) used a
    fastText model. Blocks the calling thread for some 10 ms a text, and once for a second.
    """
    found = {language for text in texts if (language := language_of(text)) is not None}
    return len(found) < 2


def language_of(text: str) -> str | None:
    """Its ISO 639-1 code; None: too few letters, or none of a known language."""
    plain = _FORMULA.sub(" ", _CODE.sub(" ", text[: 4 * MAX_CHARS]))[:MAX_CHARS]
    # Five Chinese signs say as much as twenty letters.
    weight = sum(4 if "\u3040" <= sign <= "\uffdc" else 1 for sign in plain if sign.isalpha())
    if weight < MIN_LETTERS:
        return None
    with _turn:  # its seed is a detector's, its tables are shared
        factory, error = _factory()
        detector = factory.create()
        detector.seed = 0
        detector.append(plain)
        try:
            found = detector.detect()
        except error:
            return None
    return None if found == "unknown" else str(found).split("-")[0]


@cache
def _factory() -> tuple[Any, type[Exception]]:
    try:
        from langdetect import PROFILES_DIRECTORY, DetectorFactory
        from langdetect.lang_detect_exception import LangDetectException
    except ModuleNotFoundError as error:
        raise ImportError(
            'telling languages apart needs langdetect: pip install "inward-rewards[languages]"'
        ) from error
    factory = DetectorFactory()
    factory.load_profile(PROFILES_DIRECTORY)
    return factory, LangDetectException
