"""Tokens that stand for a picture, a video or a sound, and are nothing without its features.

Where only token ids are sent, vLLM reads them as ordinary words: the numbers would be those of a
sequence that no policy saw. Free of torch and vLLM.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from inward_rewards.entropy.wire import Span

_NAME = re.compile(r"(image|img|video|vision|audio|speech|sound)\w*_token_(id|index)")
_MARK = re.compile(r"(start|end|begin|newline|break|sep)")
"""Marks around a picture are words of the text."""


def placeholder_ids(config: Any) -> frozenset[int]:
    """The ids that a model's config (transformers), or any part of it, names as placeholders."""
    found: set[int] = set()
    for name, value in vars(config).items():
        if hasattr(value, "to_dict"):
            found |= placeholder_ids(value)
        elif type(value) is int and _NAME.fullmatch(name) and not _MARK.search(name):
            found.add(value)
    return frozenset(found)


def refuse_bare(token_ids: Sequence[int], ids: frozenset[int], features: Iterable[Span]) -> None:
    """ValueError, fit to show to the caller: placeholders that none of `features` covers."""
    covered = {position for start, stop in features for position in range(start, stop)}
    bare = [
        position
        for position, token in enumerate(token_ids)
        if token in ids and position not in covered
    ]
    if bare:
        raise ValueError(
            f"the prompt holds {len(bare)} placeholder tokens of pictures or sounds without their "
            f"features (the first is {token_ids[bare[0]]}, at {bare[0]}) and would be read as "
            "words; token ids alone cannot be scored with pictures"
        )


def refuse_deepstack(layers: Iterable[int], config: Any) -> None:
    """ValueError where `layers` are among those that a picture's features are added to once more.

    vLLM gives such a layer out before the addition, transformers behind it.
    """
    vision = getattr(config, "vision_config", None)
    last = len(getattr(vision, "deepstack_visual_indexes", None) or ())
    if any(1 <= layer <= last for layer in layers):
        raise ValueError(
            f"layers 1..{last} of this model have a picture's features added to them, and cannot "
            f"be scored in a prompt with pictures; start with layers above {last}"
        )
