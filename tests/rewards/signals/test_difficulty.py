"""ARES's reward against its definition, written down once more, and its hacks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inward_rewards.signals import ares, difficulty_of, target_of, window_entropies


def expected(count, target, right, difficulty, cap):
    """As the paper's code has it, a branch each."""
    fraction, kappa, temperature, scale = {
        "easy": (0.15, 2.0, 2.0, 1.0),
        "medium": (0.25, 3.0, 2.5, 1.0),
        "hard": (0.35, 4.0, 3.0, 1.2),
    }[difficulty]
    margin, cap, delta = max(1.0, fraction * max(target, 1.0)), cap * scale, count - target

    def huber(x):
        x = max(x, 0.0)
        return x * x / (2 * kappa) if x <= kappa else x - kappa / 2

    def sigmoid(x):
        return 1.0 / (1.0 + math.exp(-x / temperature))

    if not right:
        factor = {"easy": 0.6, "medium": 0.8, "hard": 1.0}[difficulty]
        return sigmoid(max(delta - margin, 0.0)) * cap * factor
    if difficulty == "easy":
        return -min(cap, huber(delta - margin) / (margin + kappa) * cap)
    if difficulty == "medium":
        return -min(cap, huber(abs(delta) - margin) / (margin + kappa) * cap)
    if delta >= -margin:
        return sigmoid(delta + margin) * cap
    return -min(cap, 0.5 * huber(-delta - margin) / (margin + kappa) * cap)


@given(
    st.integers(0, 400),
    st.floats(0, 300),
    st.booleans(),
    st.sampled_from(["easy", "medium", "hard"]),
    st.sampled_from([0.5, 0.1]),
)
def test_it_is_the_definition(count, target, right, difficulty, cap):
    found = ares(count, target, right, difficulty, cap=cap)
    assert found == pytest.approx(expected(count, target, right, difficulty, cap), abs=1e-12)
    assert abs(found) <= 1.2 * cap + 1e-12


@pytest.mark.parametrize(
    ("right", "difficulty"),
    [
        ([True, True, False], "easy"),
        ([True, False, False], "medium"),
        ([True] * 5 + [False] * 3, "medium"),
        ([True] * 2 + [False] * 6, "hard"),
        ([True], "easy"),
        ([False], "hard"),
    ],
)
def test_difficulty(right, difficulty):
    assert difficulty_of(right) == difficulty


def test_windows_and_targets():
    assert window_entropies([1.0, 2.0, 3.0, 4.0, 6.0], 2) == [1.5, 2.5, 3.5, 5.0]
    assert window_entropies([1.0, 2.0], 4) == []
    assert [target_of([10, 30, 20], d) for d in ("easy", "medium", "hard")] == [17.0, 20.0, 23.0]
    with pytest.raises(ValueError, match="window"):
        window_entropies([1.0], 0)
    with pytest.raises(ValueError, match="verdict"):
        difficulty_of([])


def test_hacks():
    # A wrong reply is paid without exploring at all, and more for rambling.
    assert ares(0, 20, False, "hard") == pytest.approx(0.3)
    assert ares(0, 20, False, "easy") == pytest.approx(0.15)
    assert ares(400, 20, False, "hard") == pytest.approx(0.6)
    # On an easy problem a short right reply loses nothing; on a hard one rambling is a bonus.
    assert ares(0, 20, True, "easy") == 0
    assert ares(400, 20, True, "easy") == -0.5
    assert ares(400, 20, True, "hard") == pytest.approx(0.6)
