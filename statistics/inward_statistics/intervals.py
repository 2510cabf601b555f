"""Intervals of a mean over values that come in clusters: the questions of one story, the rollouts
of one problem.

The standard error is the cluster-robust one with the small-sample correction CR2 [Bell and
McCaffrey 2002], never below that of independent values, and its degrees of freedom are theirs.

Values within 0 and 1 get Wilson's interval with continuity correction [Newcombe 1998] on the
effective sample size of that standard error, corrected for its degrees of freedom [Korn and
Graubard 1998]. An effective size is never below that of clusters which agree wholly within, which
is also what is taken where all values are equal and say nothing about it. Clusters that hold none
of the rarer outcome tell nothing about its spread either: there are no more degrees of freedom
than the effective number [Kish 1965] of clusters that hold it. Other values get Student's t
interval.

In simulation its coverage is 0.93 or more for 2 to 120 clusters of 1 to 36 questions and 1 or 4
rollouts, means from 0.05 to 0.95, and correlation within a cluster from 0 to 1; with few clusters,
or hardly any correlation, it is nearer to 0.99. The tests repeat a part of that.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: the intervals are of 95 %."""
ROUNDING = 1e-12
"""Values that differ by less than this share of themselves are equal."""
Counts = NDArray[np.integer[Any]]
STUDENT = (12.7062, 4.3027, 3.1825, 2.7765, 2.5706, 2.4470, 2.3647, 2.3061, 2.2622, 2.2282)
"""The 97.5 % quantiles of Student's t for 1 to 10 degrees of freedom."""


@dataclass(frozen=True)
class Mean:
    """A mean with its 95 % interval."""

    value: float
    low: float
    """NaN, as `high`, where the values say nothing about it: one cluster of values that are not
    within 0 and 1, or such values that are all equal."""
    high: float
    count: int
    """How many values it is the mean of."""
    clusters: int
    """And of how many clusters."""

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def clustered_mean(values: Sequence[float], clusters: Sequence[Hashable]) -> Mean:
    """Mean and 95 % interval; `clusters` names the cluster of each value.

    Raises ValueError where there are no values, one is not finite, or one lacks its cluster.
    """
    sums, counts = cluster_sums(values, clusters)
    if min(values) < 0 or max(values) > 1:
        return clustered_mean_of_any(values, clusters)
    value = float(np.mean(values))
    error, freedom = _standard_error(np.asarray(values, float), sums, counts)
    low, high = _wilson(value, sums, counts, error, freedom)
    return Mean(value, low, high, len(values), len(sums))


def clustered_mean_of_any(values: Sequence[float], clusters: Sequence[Hashable]) -> Mean:
    """`clustered_mean` of values that 0 and 1 do not bound, wherever these happen to lie."""
    sums, counts = cluster_sums(values, clusters)
    value = float(np.mean(values))
    low, high = _student_interval(value, values, sums, counts)
    return Mean(value, low, high, len(values), len(sums))


def cluster_sums(
    values: Sequence[float], clusters: Sequence[Hashable]
) -> tuple[NDArray[np.float64], Counts]:
    """(sum, count) of each cluster's values. ValueError where there are none, one is not finite, or
    one lacks its cluster."""
    if not values:
        raise ValueError("no values to take the mean of")
    if len(values) != len(clusters):
        raise ValueError(f"{len(values)} values, and {len(clusters)} names of their clusters")
    if not np.isfinite(values).all():
        wrong = next(value for value in values if not math.isfinite(value))
        raise ValueError(f"a mean needs finite values, got {wrong}")
    numbers: dict[Hashable, int] = {}
    cluster = [numbers.setdefault(name, len(numbers)) for name in clusters]
    return np.bincount(cluster, weights=values).astype(float), np.bincount(cluster)


def _student_interval(
    value: float, values: Sequence[float], sums: NDArray[np.float64], counts: Counts
) -> tuple[float, float]:
    error, freedom = _standard_error(np.asarray(values, float), sums, counts)
    if not error:
        return math.nan, math.nan
    return value - student(freedom) * error, value + student(freedom) * error


def student(freedom: float) -> float:
    """The 97.5 % quantile of Student's t; the degrees of freedom count in whole numbers."""
    whole = max(1, int(freedom + 1e-9))
    if whole <= len(STUDENT):
        return STUDENT[whole - 1]
    # The expansion in 1 / degrees of freedom [Abramowitz and Stegun, 26.7.5]: 4 digits from 11 on.
    terms = (
        (Z**3 + Z) / 4,
        (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96,
        (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384,
    )
    return Z + math.fsum(term / whole**power for power, term in enumerate(terms, 1))


def _standard_error(
    values: NDArray[np.float64], sums: NDArray[np.float64], counts: Counts
) -> tuple[float, float]:
    """Of the mean, and its degrees of freedom; (0, 0) for one cluster, and for equal values."""
    if len(sums) == 1 or np.ptp(values) <= ROUNDING * np.abs(values).max():
        return 0.0, 0.0
    share = counts / counts.sum()
    residual = (sums - values.mean() * counts) / counts.sum()
    variance = float((residual**2 / (1 - share)).sum())
    alone = float(values.var(ddof=1)) / len(values)
    return math.sqrt(max(variance, alone)), _degrees_of_freedom(share)


def _degrees_of_freedom(share: NDArray[np.float64]) -> float:
    """Satterthwaite's, of the CR2 variance of a mean whose clusters have these shares of the
    values: the number of clusters less one where all are as large."""
    # The variance is y'My for the cluster means y; with M = D - ds' - sd' + (1'd)ss', where D is
    # diag(d), the degrees of freedom are (tr M)² / tr M².
    d = share**2 / (1 - share)
    total, squares, cross = d.sum(), share @ share, d @ share
    trace = total - 2 * cross + total * squares
    trace_of_square = (
        d @ d
        - 4 * (d**2 @ share)
        + 2 * total * (d @ share**2)
        + 2 * (cross**2 + (d @ d) * squares)
        - 4 * total * squares * cross
        + (total * squares) ** 2
    )
    return float(trace**2 / trace_of_square)


def _wilson(
    p: float,
    sums: NDArray[np.float64],
    counts: Counts,
    error: float,
    freedom: float,
) -> tuple[float, float]:
    size = least = float(counts.sum() ** 2 / (counts**2).sum())
    if error > 0 and 0 < p < 1:
        rarer = sums if p < 0.5 else counts - sums
        telling = float(rarer.sum() ** 2 / (rarer**2).sum())
        size = p * (1 - p) / error**2 * (Z / student(min(freedom, telling))) ** 2
        size = max(size, least)
    middle, scale = 2 * size * p + Z**2, 2 * (size + Z**2)
    below = Z**2 - 2 - 1 / size + 4 * p * (size * (1 - p) + 1)
    above = Z**2 + 2 - 1 / size + 4 * p * (size * (1 - p) - 1)
    # The correction is half a value: with less than that on one side, nothing bounds it there.
    low = (middle - 1 - Z * math.sqrt(max(below, 0))) / scale if size * p > 0.5 else 0.0
    high = (middle + 1 + Z * math.sqrt(max(above, 0))) / scale if size * (1 - p) > 0.5 else 1.0
    return max(0.0, min(low, p)), min(1.0, max(high, p))
