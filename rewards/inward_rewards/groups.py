"""Scores that compare the sibling rollouts of one task.

A sibling that ended in an error, or that has nothing to compare, is None: it gets None back and
moves nobody else's score.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Literal

from inward_rewards.entropy.definition import ROUNDING

Gate = Literal["correct", "none"]
Over = Literal["all", "correct"]

MIN_STD = 1e-6
"""The floor of the bonus's source (Advent of Small ML 2025, day 7), for parity with it: rounding
alone exceeds it."""
MIN_FIT = 4
"""Siblings that a line over their lengths is fitted to at least: it goes through any two, and of
three it leaves one number."""


def zscores(
    values: Sequence[float | None],
    members: Sequence[bool] | None = None,
    *,
    floor: float = ROUNDING,
) -> list[float | None]:
    """Each value's distance from the group's mean in sample standard deviations (ddof 1).

    `members` picks the siblings whose mean and deviation count; the others are measured by them.
    `floor`: by how much a value may be off, in the values' own unit; the default is that of
    entropies in bits from a float32 model. A group that deviates by less has no order.
    All zero there, and where fewer than two members have a value.
    ValueError: a value that is not finite.
    """
    for value in values:
        if value is not None and not math.isfinite(value):
            raise ValueError(f"a group's values must be finite, got {list(values)!r}")
    chosen = members if members is not None else [True] * len(values)
    group = [v for v, member in zip(values, chosen, strict=True) if member and v is not None]
    deviation = statistics.stdev(group) if len(group) > 1 else 0.0
    if deviation < floor:
        return [None if value is None else 0.0 for value in values]
    mean = statistics.fmean(group)
    return [None if value is None else (value - mean) / deviation for value in values]


def group_bonus(
    values: Sequence[float | None],
    correct: Sequence[bool],
    *,
    band: float = 0.1,
    gate: Gate = "correct",
    over: Over = "all",
    floor: float = ROUNDING,
) -> list[float | None]:
    """clamp(band * z, -band, band) for every sibling.

    `over`: whose mean and deviation z is taken against. `floor`: as in `zscores`.
    `gate = "correct"`: a wrong sibling gets 0. With `over = "all"` z is taken before the gate, so
    that a right sibling below the group's mean is fined.
    Source: Advent of Small ML (2025), day 7.
    """
    members = list(correct) if over == "correct" else None
    bonus: list[float | None] = []
    for z, right in zip(zscores(values, members, floor=floor), correct, strict=True):
        if z is None:
            bonus.append(None)
        elif gate == "correct" and not right:
            bonus.append(0.0)
        else:
            bonus.append(max(-band, min(band, band * z)))
    return bonus


def length_residuals(entropies: Sequence[float], tokens: Sequence[int]) -> list[float]:
    """What a group's entropies have beyond what their lengths explain:

        r_i = S_i - (a + b · ln n_i),  a and b the least-squares fit over all the siblings

    with S_i undivided and n_i in tokens. Over the group r is uncorrelated with ln n, and its mean
    is 0. Where all are of one length, r_i is the distance from the mean. All 0, which is no order,
    for fewer than MIN_FIT siblings.
    ValueError: an entropy that is not finite, or a length below 1.
    """
    if not all(map(math.isfinite, entropies)) or any(n < 1 for n in tokens):
        raise ValueError(
            f"residuals need finite entropies and lengths of at least 1, got {list(entropies)!r} "
            f"and {list(tokens)!r}"
        )
    if len(entropies) < MIN_FIT:
        return [0.0] * len(entropies)
    logs = [math.log(n) for n in tokens]
    fitted = len(set(tokens)) > 1
    slope = statistics.linear_regression(logs, entropies).slope if fitted else 0.0
    mean_log, mean = statistics.fmean(logs), statistics.fmean(entropies)
    return [
        value - mean - slope * (log - mean_log) for value, log in zip(entropies, logs, strict=True)
    ]


def absolute_bonus(fraction: float, *, band: float = 0.1) -> float:
    """The bonus of a rollout without siblings: -band at `fraction` 0, +band at 1, linear.

    ValueError: a fraction outside [0, 1] by more than rounding.
    """
    if not -ROUNDING <= fraction <= 1 + ROUNDING:
        raise ValueError(f"an entropy as a fraction of the largest must lie in 0..1: {fraction!r}")
    return max(-band, min(band, band * (2 * fraction - 1)))
