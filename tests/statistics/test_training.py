"""The signals of a training, each against an independent computation in float64."""

import itertools
import math
import random

import numpy as np
import pytest
from inward_statistics import (
    answer_entropy,
    correlation,
    covariance_of_sums,
    fit_entropy_law,
    log_probability_covariance,
    mismatch,
    variance_shares,
    window_means,
)

RNG = random.Random(7)


def test_the_entropy_law_is_recovered_with_its_ceiling():
    entropies = [1.2, 0.9, 0.5, 0.31, 0.1]
    found = fit_entropy_law(entropies, [0.8 - 0.21 * math.exp(h) for h in entropies])
    assert (found.a, found.b, found.ceiling) == pytest.approx((0.21, 0.8, 0.59))
    assert found.r_squared == pytest.approx(1)
    assert found.reward(0.0) == pytest.approx(found.ceiling)


def test_the_entropy_law_is_the_least_squares_fit():
    h = [RNG.uniform(0, 2) for _ in range(20)]
    r = [0.7 - 0.1 * math.exp(x) + RNG.gauss(0, 0.05) for x in h]
    matrix = np.column_stack([-np.exp(h), np.ones(len(h))])
    (a, b), residual, *_ = np.linalg.lstsq(matrix, np.array(r), rcond=None)
    found = fit_entropy_law(h, r)
    assert (found.a, found.b) == pytest.approx((a, b))
    assert found.r_squared == pytest.approx(1 - residual[0] / np.sum((r - np.mean(r)) ** 2))


@pytest.mark.parametrize(
    "h", [[], [1.0], [1.0, 0.5], [1.0, 0.5, 0.5, 1.0], [1.0, 0.5, 0.5 + 1e-12]]
)
def test_two_entropies_are_no_curve(h):
    with pytest.raises(ValueError, match=f"{len({round(x, 9) for x in h})} distinct entropies"):
        fit_entropy_law(h, [0.1] * len(h))


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="entropies must be finite, got nan"):
        fit_entropy_law([1.0, 0.5, math.nan], [0.1] * 3)
    with pytest.raises(ValueError, match="2 entropies, and 3 rewards"):
        fit_entropy_law([1.0, 0.5], [0.1] * 3)


def test_correlation_is_pearsons():
    x = [RNG.gauss(0, 1) for _ in range(50)]
    y = [v + RNG.gauss(0, 1) for v in x]
    assert correlation(x, y) == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert correlation(x, [2.0] * 50) is None
    assert correlation([1.0], [2.0]) is None
    assert correlation([0.1 + 0.2, 0.3, 0.3], [1.0, 2.0, 3.0]) is None


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["a"] * 8, 0.0),
        (["a", "b"], math.log(2)),
        (list("abcdefgh"), math.log(8)),
        (["a", "a", "b", None], -(2 / 3) * math.log(2 / 3) - (1 / 3) * math.log(1 / 3)),
        ([None, None], None),
        ([], None),
    ],
)
def test_the_entropy_of_answers(answers, expected):
    assert answer_entropy(answers) == (None if expected is None else pytest.approx(expected))


def test_the_covariance_is_that_over_all_tokens():
    lengths = [1, 5, 9, 30]
    logs = [[-RNG.expovariate(1) for _ in range(n)] for n in lengths]
    advantages = [RNG.gauss(0, 1) for _ in lengths]
    x = np.array(list(itertools.chain(*logs)))
    y = np.repeat(advantages, lengths)
    expected = np.mean((x - x.mean()) * (y - y.mean()))
    assert log_probability_covariance(logs, advantages) == pytest.approx(expected)
    sums = [sum(tokens) for tokens in logs]
    assert covariance_of_sums(sums, lengths, advantages) == pytest.approx(expected)
    with pytest.raises(ValueError, match="no token"):
        log_probability_covariance([[], []], [0.0, 1.0])


def test_likely_tokens_that_are_rewarded_have_a_positive_covariance():
    assert log_probability_covariance([[-0.1] * 4, [-3.0] * 4], [0.5, -0.5]) > 0
    assert log_probability_covariance([[-0.1] * 4, [-3.0] * 4], [-0.5, 0.5]) < 0


def test_shares_of_the_advantages_variance_are_the_regressions_and_sum_to_one():
    groups = [
        {name: [RNG.gauss(0, scale) for _ in range(8)] for name, scale in (("a", 1), ("b", 0.3))}
        for _ in range(40)
    ]
    found = variance_shares(groups)
    centred = {
        name: np.concatenate([np.array(g[name]) - np.mean(g[name]) for g in groups])
        for name in "ab"
    }
    whole = centred["a"] + centred["b"]
    for name in "ab":
        assert found[name] == pytest.approx(
            np.cov(centred[name], whole, ddof=0)[0, 1] / whole.var()
        )
    assert sum(found.values()) == pytest.approx(1)


def test_a_part_that_is_the_same_for_all_siblings_makes_nothing_and_one_that_opposes_is_negative():
    found = variance_shares([{"right": [1.0, 0.0], "constant": [0.2, 0.2], "against": [-0.5, 0.0]}])
    assert found == pytest.approx({"right": 2.0, "constant": 0.0, "against": -1.0})
    assert variance_shares([{"right": [1.0, 1.0]}]) is None
    assert variance_shares([]) is None
    with pytest.raises(ValueError, match="one per sibling"):
        variance_shares([{"a": [1.0], "b": [1.0, 2.0]}])


@pytest.mark.parametrize("window", [1, 3, 4, 7])
def test_window_means_are_means_of_windows(window):
    values = [RNG.uniform(0, 3) for _ in range(6)]
    expected = [sum(values[t : t + window]) / window for t in range(len(values) - window + 1)]
    assert list(window_means(values, window)) == pytest.approx(expected)
    with pytest.raises(ValueError, match="got 0"):
        window_means(values, 0)


def test_the_mismatch_is_never_negative_and_estimates_the_divergence():
    p, q = np.array([0.6, 0.3, 0.1]), np.array([0.5, 0.3, 0.2])
    drawn = np.random.default_rng(0).choice(3, 200_000, p=p)
    found = mismatch(np.log(q[drawn]), np.log(p[drawn]))
    assert found.kl == pytest.approx(float(np.sum(p * np.log(p / q))), rel=0.02)
    assert found.largest_difference == pytest.approx(math.log(2))
    assert mismatch([-1.0, -2.0], [-1.0, -2.0]).kl == 0
    ratio = np.exp(np.array([-1.0, -2.5]) - np.array([-1.2, -2.0]))
    expected = float(np.mean(ratio - 1 - np.log(ratio)))
    assert mismatch([-1.0, -2.5], [-1.2, -2.0]).kl == pytest.approx(expected)
    with pytest.raises(ValueError, match="no token"):
        mismatch([], [])
