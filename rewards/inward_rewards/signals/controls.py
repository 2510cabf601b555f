"""Controls: rewards that say nothing, or less than they seem to. What helps no more than these of
the same band did not help.

Each draw is a hash of a seed and of what it belongs to, so that a run repeats itself in whatever
order its rollouts end, and on any machine. It never depends on what the policy wrote: a policy
could learn a fixed function of its text.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence


def uniform(seed: int, *key: object) -> float:
    """A number in [0, 1), the same for the same seed and key."""
    text = repr((seed, *map(str, key))).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64


def random_bonus(seed: int, task: str, index: int, *, band: float = 0.1) -> float:
    """Uniform in -band..band, for sibling `index` of the task's group."""
    return band * (2 * uniform(seed, "random", task, index) - 1)


def shuffled(scores: Sequence[float | None], seed: int, task: str) -> list[float | None]:
    """The group's scores dealt out among its siblings at random: the same distribution, and no link
    to what was written. A sibling without a score keeps none."""
    places = [index for index, score in enumerate(scores) if score is not None]
    drawn = sorted(places, key=lambda index: uniform(seed, "shuffle", task, index))
    dealt = list(scores)
    for place, source in zip(places, drawn, strict=True):
        dealt[place] = scores[source]
    return dealt


def flips(probability: float, seed: int, task: str) -> bool:
    """Whether the whole group of a task is flipped: decided once per task and seed."""
    if not 0 <= probability <= 1:
        raise ValueError(f"a probability lies in 0..1, got {probability!r}")
    return uniform(seed, "flip", task) < probability


def noisy(score: float, flip: bool) -> float:
    """1 - score where the group is flipped. ValueError: a score outside 0..1.

    Source: The Climb Carves Wisdom Deeper Than the Summit (arXiv 2505.22653).
    """
    if not (math.isfinite(score) and 0 <= score <= 1):
        raise ValueError(f"only a score in 0..1 can be flipped to 1 - score, got {score!r}")
    return 1 - score if flip else score
