"""Paired differences by simulation, McNemar's test by enumeration."""

import math
from itertools import product

import numpy as np
import pytest
from inward_statistics import clustered_mean, mcnemar, paired_difference

REPEATS = 250


def pairs(rng, clusters, size, first, second, shared, correlation):
    """Verdicts of two policies; a share of the questions is decided alike for both, and clusters
    differ in how hard they are."""
    shape = (clusters, size)
    hardness = rng.normal(0, math.sqrt(correlation), (clusters, 1))
    alike = rng.random(shape) < shared
    # Normal quantiles, so that a cluster's shift keeps the mean over clusters.
    left = rng.normal(0, math.sqrt(1 - correlation), shape) + hardness
    right = np.where(alike, left, rng.normal(0, math.sqrt(1 - correlation), shape) + hardness)
    names = np.repeat(np.arange(clusters), size)
    return left < first, right < second, names


def normal_cdf(z):
    return (1 + math.erf(z / math.sqrt(2))) / 2


GRID = [
    (*shape, *policies, *dependence)
    for shape, policies, dependence in product(
        [(5, 1), (5, 12), (20, 6), (60, 1)],
        [(0.0, 0.0), (0.5, -0.5), (-1.5, -1.5), (1.6, 0.8)],
        [(0.0, 0.5), (0.9, 0.0)],
    )
]


def test_the_interval_of_a_difference_holds_the_truth():
    """250 repeats know the coverage of a cell to 0.015."""
    rng = np.random.default_rng(0)
    covered = {}
    for cell in GRID:
        _, _, first, second, *_ = cell
        truth = normal_cdf(first) - normal_cdf(second)
        held = 0
        for _ in range(REPEATS):
            left, right, names = pairs(rng, *cell)
            found = paired_difference(
                left.ravel().astype(float).tolist(),
                right.ravel().astype(float).tolist(),
                names.tolist(),
            )
            held += found.low <= truth <= found.high
        covered[cell] = held / REPEATS
    assert min(covered.values()) >= 0.90, sorted(covered.items(), key=lambda c: c[1])[:5]
    assert np.mean(list(covered.values())) >= 0.95


def test_pairing_narrows_the_interval():
    rng = np.random.default_rng(1)
    left, right, names = pairs(rng, 100, 1, 0.2, 0.0, 0.9, 0.0)
    one, other = left.ravel().astype(float).tolist(), right.ravel().astype(float).tolist()
    paired = paired_difference(one, other, names.tolist())
    alone = clustered_mean(one, names.tolist())
    assert paired.high - paired.low < alone.high - alone.low
    swapped = paired_difference(other, one, names.tolist())
    assert (swapped.value, swapped.low, swapped.high) == pytest.approx(
        (-paired.value, -paired.high, -paired.low)
    )


def test_policies_that_never_differ_are_not_certainly_equal():
    few = paired_difference([1.0, 0.0] * 3, [1.0, 0.0] * 3, range(6))
    many = paired_difference([1.0, 0.0] * 300, [1.0, 0.0] * 300, range(600))
    assert few.value == many.value == 0
    assert few.low == -few.high < -0.3
    assert -0.02 < many.low == -many.high < 0


def test_all_gains_are_not_taken_for_a_rate():
    """Differences within 0 and 1 of values that nothing bounds."""
    found = paired_difference([10.0, 11.0, 12.5], [10.0, 10.5, 11.5], "abc")
    assert found.value == pytest.approx(0.5)
    assert found.low < 0 < found.high  # Student's t with 2 degrees of freedom: 0.5 +- 4.30 * 0.289
    assert found.high == pytest.approx(0.5 + 4.3027 * 0.5 / math.sqrt(3), abs=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "clusters", "message"),
    [
        ([1.0], [1.0, 0.0], "a", "1 values are to be paired with 2"),
        ([], [], "", "no values"),
        ([1.0, 0.0], [1.0, 0.0], "a", "2 values, and 1 names"),
        ([1.0, math.nan], [1.0, 0.0], "ab", "finite"),
    ],
)
def test_what_cannot_be_paired_is_refused(first, second, clusters, message):
    with pytest.raises(ValueError, match=message):
        paired_difference(first, second, clusters)


def test_mcnemar_is_the_share_of_coin_tosses_as_far_off():
    for won, lost in product(range(6), range(6)):
        first = [True] * won + [False] * lost + [True, False]
        second = [False] * won + [True] * lost + [True, False]
        tosses = list(product((0, 1), repeat=won + lost))
        off = abs(won - lost)
        as_far = sum(abs(2 * sum(toss) - (won + lost)) >= off for toss in tosses)
        assert mcnemar(first, second) == pytest.approx(as_far / len(tosses))


def test_mcnemar_of_many_pairs():
    """10,000 tosses of which 4,900 fell one way: 2 standard deviations off, with continuity."""
    first, second = [True] * 4900 + [False] * 5100, [False] * 4900 + [True] * 5100
    assert mcnemar(first, second) == pytest.approx(2 * (1 - normal_cdf(1.99)), rel=0.01)
    with pytest.raises(ValueError, match="1 verdicts are to be paired with 2"):
        mcnemar([True], [True, False])
