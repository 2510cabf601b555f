"""Intervals of a mean over questions that come in clusters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2_000
COVERAGE = 0.95


@dataclass(frozen=True)
class Mean:
    """A mean with its percentile interval."""

    value: float
    low: float
    high: float
    count: int
    """How many values it is the mean of."""

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def clustered_mean(values: Sequence[float], clusters: Sequence[Hashable], *, seed: int = 0) -> Mean:
    """Mean and 95 % interval by resampling whole clusters (stories), since the values of one
    cluster are not independent [Field and Welsh 2007, the cluster bootstrap]."""
    if not values:
        raise ValueError("no values to take the mean of")
    numbers: dict[Hashable, int] = {}
    cluster = [numbers.setdefault(name, len(numbers)) for name in clusters]
    sums = np.bincount(cluster, weights=values)
    counts = np.bincount(cluster)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]).tolist()
    return Mean(float(np.mean(values)), low, high, len(values))
