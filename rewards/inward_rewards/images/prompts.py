"""How much of a text an encoder reads: by its tokenizer, or by a rule where that is not at hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from inward_rewards.images.errors import RedrawError

TOKEN = re.compile(r"[A-Za-z]{1,5}|\d|[^\sA-Za-z\d]")
"""By the rule: five letters, a digit or a sign. Encoders read most English words of any length as
one token, so that it counts more rather than fewer."""
TAG = re.compile(r"</?\s*description\s*>", re.I)
THOUGHT = "</think>"


def printable(text: str) -> str:
    """The text without what no model reads: control characters and half surrogate pairs."""
    clean = text.encode("utf-8", "ignore").decode()
    return "".join(c if c.isprintable() or c == "\n" else " " for c in clean).strip()


def as_data(text: str) -> str:
    """A policy's text as it stands between <description> and </description>: without such tags,
    which are replaced and not removed, as what is left would else close up to another one."""
    return TAG.sub(" ", printable(text)).strip()


def thought_over(reply: str) -> str:
    """What a model says after its thinking."""
    return reply.rpartition(THOUGHT)[2]


def cut_by_rule(text: str, tokens: int) -> tuple[str, int]:
    """The first `tokens` tokens of a text, and how many are left out."""
    ends = [found.end() for found in TOKEN.finditer(text)]
    left_out = max(0, len(ends) - tokens)
    return (text[: ends[tokens - 1]] if left_out else text), left_out


class TokenizerCut:
    """The same by a `tokenizer.json`: a file, a folder with one, or a hub id.

    Raises `RedrawError` where it cannot be had.
    """

    def __init__(self, name: str) -> None:
        try:
            import tokenizers
        except ImportError as error:
            raise ImportError(
                f'redraw.tokenizer needs tokenizers ({error}): pip install "inward-rewards[images]"'
            ) from error
        path = Path(name)
        file = path / "tokenizer.json" if path.is_dir() else path
        try:
            if file.is_file():
                self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(file))
            else:
                self._tokenizer = tokenizers.Tokenizer.from_pretrained(name)
        # The library has no exceptions of its own.
        except Exception as error:
            raise RedrawError(
                f"redraw.tokenizer {name!r} cannot be loaded: {error}: give the folder that holds "
                "its tokenizer.json, or leave it out to count tokens by a rule"
            ) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def __call__(self, text: str, tokens: int) -> tuple[str, int]:
        encoding = self._tokenizer.encode(text)
        return cut_at(text, encoding.offsets, encoding.special_tokens_mask, tokens)


def cut_at(
    text: str, offsets: list[tuple[int, int]], special: list[int], tokens: int
) -> tuple[str, int]:
    """The part of a text that its first tokens hold, of `tokens` in all with the special ones.

    Args:
        offsets: where each token begins and ends in the text.
        special: 1 for each token that the tokenizer adds.
    """
    left_out = len(offsets) - tokens
    if left_out <= 0:
        return text, 0
    own = [end for (_, end), added in zip(offsets, special, strict=True) if not added]
    kept = len(own) - left_out
    return (text[: own[kept - 1]] if kept > 0 else ""), left_out
