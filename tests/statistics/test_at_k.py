"""Scores at k, against every draw of k rollouts."""

from collections import Counter
from itertools import combinations
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inward_statistics import maj_at_k, pass_at_k


@pytest.mark.parametrize("rollouts", [1, 2, 5, 8])
def test_pass_at_k_is_the_mean_over_every_draw(rollouts):
    for right in range(rollouts + 1):
        verdicts = [1] * right + [0] * (rollouts - right)
        for k in range(1, rollouts + 1):
            expected = fmean(max(draw) for draw in combinations(verdicts, k))
            assert pass_at_k(rollouts, right, k) == pytest.approx(expected)


def majority(draw):
    votes = Counter(answer for answer in draw if answer is not None)
    most = max(votes.values(), default=0)
    winners = [answer for answer, count in votes.items() if count == most]
    return winners.count("A") / len(winners) if winners else 0.0


@settings(max_examples=150)
@given(st.lists(st.sampled_from(["A", "B", "C", "D", None]), min_size=1, max_size=9), st.data())
def test_maj_at_k_is_the_mean_over_every_draw(answers, data):
    k = data.draw(st.integers(1, len(answers)))
    expected = fmean(majority(draw) for draw in combinations(answers, k))
    assert maj_at_k(answers, "A", k) == pytest.approx(expected)


def test_a_vote_of_one_is_the_accuracy_and_many_rollouts_are_no_burden():
    answers = ["A"] * 20 + ["B"] * 15 + [None] * 9 + [f"other {n}" for n in range(20)]
    assert maj_at_k(answers, "A", 1) == pytest.approx(20 / 64)
    assert maj_at_k(answers, "A", 64) == pytest.approx(1)
    assert 0.3 < maj_at_k(answers, "A", 16) < 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pass_at_k(4, 2, 5), "k=5 of 4"),
        (lambda: pass_at_k(4, 2, 0), "k=0 of 4"),
        (lambda: pass_at_k(4, 5, 1), "right=5 of 4"),
        (lambda: maj_at_k(["A"], "A", 2), "k=2 of 1"),
        (lambda: maj_at_k(["A"], None, 1), "right=None"),
    ],
)
def test_impossible_draws_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
