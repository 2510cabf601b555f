"""Means over questions, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RESAMPLES = 10_000


def bootstrap_interval(
    means: Sequence[float], *, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over questions.

    `means` holds one value a question, the mean over its rollouts: the question, not the rollout,
    is what is resampled, since rollouts of one question are not independent.
    """
    values = np.asarray(means, dtype=np.float64)
    if values.size == 0:
        raise ValueError("no questions to take a mean over")
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, values.size, size=(RESAMPLES, values.size))
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(values[picks].mean(axis=1), [tail, 100 - tail])
    return float(low), float(high)
