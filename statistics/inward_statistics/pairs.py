"""Two policies on the same questions: how far apart they are, and whether that may be chance."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np

from inward_statistics.intervals import Mean, cluster_sums, clustered_mean, clustered_mean_of_any


def paired_difference(
    first: Sequence[float], second: Sequence[float], clusters: Sequence[Hashable]
) -> Mean:
    """Mean of `first` less `second`, value by value, with its 95 % interval.

    `clusters` names the cluster of each pair. Values within 0 and 1: what `first` gains and what it
    loses get an interval each, as of `clustered_mean`, and the two are combined by the square
    root of their squared distances [Newcombe 1998, method 10 for paired proportions; Zou and Donner
    2008], with the correlation of gains and losses over clusters. So no pair that differs is no
    certainty either. Other values: Student's t interval of the differences.

    In simulation its coverage is 0.95 or more for 5 to 60 clusters of 1 to 12 questions.

    Raises ValueError as `clustered_mean`, and for lists of different lengths.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} values are to be paired with {len(second)}")
    differences = [one - other for one, other in zip(first, second, strict=True)]
    everything = [*first, *second]
    if not everything or min(everything) < 0 or max(everything) > 1:
        return clustered_mean_of_any(differences, clusters)
    gains = [max(difference, 0.0) for difference in differences]
    losses = [max(-difference, 0.0) for difference in differences]
    gain, loss = clustered_mean(gains, clusters), clustered_mean(losses, clusters)
    opposed = _opposed(gains, losses, clusters)

    def distance(of_gain: float, of_loss: float) -> float:
        return math.sqrt(of_gain**2 + of_loss**2 + 2 * opposed * of_gain * of_loss)

    value = gain.value - loss.value
    low = value - distance(gain.value - gain.low, loss.high - loss.value)
    high = value + distance(gain.high - gain.value, loss.value - loss.low)
    return Mean(value, max(low, -1.0), min(high, 1.0), gain.count, gain.clusters)


def _opposed(
    gains: Sequence[float], losses: Sequence[float], clusters: Sequence[Hashable]
) -> float:
    """How far clusters that gain more lose less: less the correlation over clusters, from 0 to 1.
    1 for a single cluster, which does not tell."""
    gained, counts = cluster_sums(gains, clusters)
    lost, _ = cluster_sums(losses, clusters)
    if len(counts) == 1:
        return 1.0
    x = gained - counts * (gained.sum() / counts.sum())
    y = lost - counts * (lost.sum() / counts.sum())
    scale = math.sqrt(float(x @ x) * float(y @ y))
    return float(np.clip(-(x @ y) / scale, 0, 1)) if scale else 0.0


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """The exact two-sided p-value of the hypothesis that both are right equally often [McNemar
    1947]: under it, each pair of which one alone is right is a toss of a fair coin.

    Pairs must be independent: one per question, and no two questions of one story. Where they share
    clusters, `paired_difference` is what holds. Raises ValueError for lists of different lengths.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} verdicts are to be paired with {len(second)}")
    pairs = list(zip(first, second, strict=True))
    won = sum(bool(one) and not other for one, other in pairs)
    lost = sum(bool(other) and not one for one, other in pairs)
    tosses = won + lost

    def chance(heads: int) -> float:
        ways = math.lgamma(tosses + 1) - math.lgamma(heads + 1) - math.lgamma(tosses - heads + 1)
        return math.exp(ways - tosses * math.log(2))

    return min(1.0, 2 * math.fsum(map(chance, range(min(won, lost) + 1))))
