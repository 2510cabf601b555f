"""Scores of contamination, each against an independent computation."""

import itertools
import math
import random

import numpy as np
import pytest
from inward_statistics import (
    area_interval,
    area_under_curve,
    min_k_prob,
    recall_ratio,
    self_critique,
)

RNG = random.Random(11)


@pytest.mark.parametrize(("m", "n"), [(5, 5), (3, 9), (9, 3), (1, 1)])
def test_self_critique_is_the_cosine_of_padded_series_times_the_ratio_of_lengths(m, n):
    first, second = ([RNG.uniform(0, 2) for _ in range(k)] for k in (m, n))
    x, y = (np.pad(np.array(v), (0, max(m, n) - len(v))) for v in (first, second))
    cosine = float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    assert self_critique(first, second) == pytest.approx(cosine * min(m, n) / max(m, n))
    assert self_critique(second, first) == pytest.approx(self_critique(first, second))


def test_an_answer_that_repeats_itself_scores_one_and_silence_nothing():
    assert self_critique([0.5, 1.0, 0.1], [0.5, 1.0, 0.1]) == pytest.approx(1)
    assert self_critique([0.5], []) == self_critique([0.0], [0.0]) == 0
    with pytest.raises(ValueError, match="got -1"):
        self_critique([-1.0], [1.0])
    with pytest.raises(ValueError, match="got nan"):
        self_critique([1.0], [math.nan])


def test_min_k_is_the_mean_of_the_least_likely_tokens():
    tokens = [-float(n) for n in range(10)]
    RNG.shuffle(tokens)
    assert min_k_prob(tokens) == pytest.approx(-8.5)
    assert min_k_prob([-1.0, -3.0]) == -3.0
    assert min_k_prob(tokens, 1.0) == pytest.approx(-4.5)
    for wrong in (([], 0.2), ([-1.0], 0.0), ([-1.0], 1.1)):
        with pytest.raises(ValueError, match="Min-K% Prob needs"):
            min_k_prob(*wrong)


def test_the_area_is_the_share_of_pairs_in_order():
    scores = [RNG.randint(0, 6) for _ in range(40)]
    labels = [RNG.random() < 0.4 for _ in range(40)]
    pairs = itertools.product(
        [s for s, known in zip(scores, labels, strict=True) if known],
        [s for s, known in zip(scores, labels, strict=True) if not known],
    )
    won = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs]
    assert area_under_curve(scores, labels) == pytest.approx(sum(won) / len(won))
    assert area_under_curve([1, 2, 3], [False, False, True]) == 1
    assert area_under_curve([2, 2], [False, True]) == 0.5
    for scores, labels, says in (
        ([1.0], [True], "1 positives and 0 negatives"),
        ([1.0], [], "1 scores, and 0 labels"),
        ([1.0, math.nan], [True, False], "must be finite"),
    ):
        with pytest.raises(ValueError, match=says):
            area_under_curve(scores, labels)


@pytest.mark.parametrize(("positives", "negatives"), [(13, 13), (24, 24), (8, 40)])
@pytest.mark.parametrize("apart", [0.0, 0.7, 1.4, 2.6])
def test_the_area_is_within_its_interval(positives, negatives, apart):
    """Of normal scores, whose area is known, in at least 93 of 100 draws, less three standard
    errors of the simulation."""
    area = 0.5 * (1 + math.erf(apart / 2))
    rng, inside, draws = np.random.default_rng(positives), 0, 400
    labels = [True] * positives + [False] * negatives
    for _ in range(draws):
        scores = [*rng.normal(apart, 1, positives), *rng.normal(0, 1, negatives)]
        found = area_interval(area_under_curve(scores, labels), positives, negatives)
        assert found.low <= found.value <= found.high
        inside += found.low <= area <= found.high
    assert inside / draws >= 0.93 - 3 * math.sqrt(0.93 * 0.07 / draws)


def test_the_edges_of_an_area():
    """Independent: where the squared distance is the quantile's times the variance."""
    found = area_interval(0.8, 20, 30)
    for edge in (found.low, found.high):
        spread = 1 + 24 * ((1 - edge) / (2 - edge) + edge / (1 + edge))
        error = math.sqrt(edge * (1 - edge) / 600 * spread)
        assert abs(0.8 - edge) == pytest.approx(1.959964 * error, rel=1e-6)
    faultless = area_interval(1.0, 13, 13)
    assert (faultless.high, faultless.count) == (1, 26)
    assert 0.75 < faultless.low < 0.95
    mirrored = area_interval(0.0, 13, 13)
    assert (mirrored.low, mirrored.high) == pytest.approx((0, 1 - faultless.low))
    for wrong in ((0.5, 0, 3), (0.5, 3, 0), (1.1, 3, 3), (math.nan, 3, 3)):
        with pytest.raises(ValueError, match="both kinds are needed"):
            area_interval(*wrong)


def test_recall_ratio():
    """A text that was trained on loses by what stands before it, another one gains."""
    assert recall_ratio([-1.0, -2.0], [-0.5, -1.0]) == 2
    assert recall_ratio([-1.0, -2.0], [-2.0, -4.0]) == 0.5


@pytest.mark.parametrize(
    ("conditioned", "alone"),
    [([-1.0], [-1.0, -1.0]), ([], []), ([-1.0], [0.0]), ([0.5], [-1.0]), ([-1.0], [-math.inf])],
)
def test_recall_ratio_refuses_what_it_cannot_compare(conditioned, alone):
    with pytest.raises(ValueError, match=r"ReCaLL|log-probability"):
        recall_ratio(conditioned, alone)
