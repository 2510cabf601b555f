"""RENT, EM-RL, self-certainty, PEAR: sums over whole distributions, and what hacks earn."""

from __future__ import annotations

import math

import pytest
from inward_rewards.signals import (
    em_rl_sequence,
    em_rl_token,
    exact_entropies,
    pear,
    rent,
    self_certainty,
)
from inward_rewards.tokens import surprisals, top_k_entropies

DISTRIBUTIONS = [[0.5, 0.25, 0.25], [0.9, 0.05, 0.05], [1 / 3, 1 / 3, 1 / 3]]
ENTROPIES = [sum(p * math.log(1 / p) for p in one) for one in DISTRIBUTIONS]
CERTAINTIES = [sum((1 / 3) * math.log((1 / 3) / p) for p in one) for one in DISTRIBUTIONS]


def test_sums_over_whole_distributions():
    exact = exact_entropies(ENTROPIES)
    assert rent(exact) == pytest.approx(-sum(ENTROPIES) / 3)
    assert em_rl_token(exact) == pytest.approx(-sum(ENTROPIES))
    assert self_certainty(CERTAINTIES) == pytest.approx(sum(CERTAINTIES) / 3)
    sampled = [math.log(0.5), math.log(0.05), math.log(1 / 3)]
    assert em_rl_sequence(sampled) == pytest.approx(math.log(0.5 * 0.05 / 3))
    assert exact.kind == "exact entropy"


def test_the_floor_of_rent_is_for_unreadable_replies_alone():
    exact = exact_entropies([0.2, 0.4])
    assert rent(exact, floor=-7.0) == pytest.approx(-0.3)
    assert rent(exact, answered=False) == pytest.approx(-0.3)
    assert rent(exact, answered=False, floor=-7.0) == -7.0


def test_a_bound_of_the_entropies_bounds_the_reward_from_above():
    tops = [[math.log(p) for p in one[:2]] for one in DISTRIBUTIONS]
    for tail in ("drop", "lump"):
        bound = top_k_entropies(tops, tail)
        assert rent(bound) >= rent(exact_entropies(ENTROPIES)) - 1e-12
        assert f"tail {tail}" in bound.kind


@pytest.mark.parametrize(
    ("entropies", "boundary", "right", "reward"),
    [
        ([0.6, 0.8, 0.1, 0.3], 2, True, 1 - (0.7 - 0.2)),
        ([0.1, 0.1, 0.9], 2, True, 1.0),  # the thinking is surer than the answer
        ([2.4, 2.6, 0.0], 2, True, 1 - 2.5),  # right, and below every wrong one
        ([2.4, 2.6, 0.0], 2, False, 0.0),
        ([0.4, 0.6], None, True, 1 - 0.5),  # </think> left out: all of it is thinking
        ([0.4, 0.6], 2, True, 1 - 0.5),  # nothing behind </think>
        ([0.4, 0.6], 0, True, 1.0),  # no thinking at all
    ],
)
def test_pear(entropies, boundary, right, reward):
    assert pear(exact_entropies(entropies), boundary, right) == pytest.approx(reward)


def test_pear_settings():
    values = exact_entropies([0.6, 0.2])
    assert pear(values, 1, True, alpha=2.0) == pytest.approx(1 - 0.2)
    assert pear(values, 1, False, wrong=0.1) == 0.1


def test_hacks():
    """What a policy earns by being sure of nothing in particular."""
    honest = exact_entropies([0.4, 0.7, 0.3, 0.2] * 10)
    repeated = exact_entropies([0.01] * 400)  # one word four hundred times
    constant = exact_entropies([0.05] * 4)  # the same short answer to everything
    assert rent(repeated) > rent(constant) > rent(honest)
    # A sum pays for brevity first: a short answer to everything beats any reasoning.
    assert em_rl_token(constant) > em_rl_token(repeated) > em_rl_token(honest)
    assert em_rl_sequence([-0.05] * 4) > em_rl_sequence([-0.4] * 40)
    assert self_certainty([12.0] * 400) > self_certainty([6.0] * 40)
    # Reasoning behind </think> is no thinking: the penalty is gone.
    moved = exact_entropies([0.0, 0.4, 0.7, 0.3])
    assert pear(moved, 1, True) == 1.0
    assert pear(exact_entropies([0.4, 0.7, 0.3, 0.0]), 3, True) < 0.6


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0])
def test_numbers_that_cannot_be_are_refused(bad):
    with pytest.raises(ValueError, match="token entropy"):
        exact_entropies([0.1, bad])
    with pytest.raises(ValueError, match="self-certainty"):
        self_certainty([0.1, bad])
    with pytest.raises(ValueError, match="log probability"):
        em_rl_sequence([-0.1, -bad])


def test_no_token():
    for call in (
        lambda: rent(exact_entropies([])),
        lambda: self_certainty([]),
        lambda: em_rl_sequence([]),
        lambda: pear(surprisals([]), 0, True),
    ):
        with pytest.raises(ValueError, match="token"):
            call()
