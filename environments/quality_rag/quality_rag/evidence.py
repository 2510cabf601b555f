"""Whether the passages that a policy was shown speak for the right option.

QuALITY marks no passages, so this is a proxy from words alone: one passage holds most of the words
that the right option has and neither the question nor another option has. Over the whole stories of
36 questions of the dev split it holds for 31 % of the right options and 23 % of the wrong ones; in
the shipped sample, whose wrong options reuse the story's words on purpose, for 17 and 29 %. It
tells which rollouts to read first, and measures nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

SHARE = 0.6
"""Of the right option's own words that one passage must hold."""
MIN_WORDS = 2
"""An option with fewer words of its own has no evidence that words could tell."""
STEM = 5
"""Letters that two forms of a word share at least, roughly: `promise`, `promised`."""
_WORD = re.compile(r"[^\W_]{4,}|\d+")


def speaks_for(
    passages: Iterable[str], gold: int, options: Sequence[str], asked: str
) -> bool | None:
    """`gold`: position of the right option; `asked`: the question. None: words cannot tell."""
    others = [option for place, option in enumerate(options) if place != gold]
    own = _stems(options[gold]) - _stems(asked, *others)
    if len(own) < MIN_WORDS:
        return None
    return any(len(own & _stems(passage)) >= SHARE * len(own) for passage in passages)


def _stems(*texts: str) -> set[str]:
    return {word[:STEM] for text in texts for word in _WORD.findall(text.casefold())}
