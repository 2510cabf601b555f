"""Controls: seeded, without order, and blind to what was written."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from inward_rewards.signals import flips, noisy, random_bonus, shuffled

TASKS = [f"task-{n}" for n in range(2000)]


def test_a_random_bonus_fills_its_band():
    drawn = [random_bonus(0, task, 3, band=0.2) for task in TASKS]
    assert drawn == [random_bonus(0, task, 3, band=0.2) for task in TASKS]
    assert drawn != [random_bonus(1, task, 3, band=0.2) for task in TASKS]
    assert drawn != [random_bonus(0, task, 4, band=0.2) for task in TASKS]
    assert max(map(abs, drawn)) <= 0.2
    # Of 2,000 uniform draws the mean lies within 4 standard errors, the deviation near 1/sqrt(3).
    mean = sum(drawn) / len(drawn)
    assert abs(mean) < 4 * 0.2 / math.sqrt(3 * len(drawn))
    deviation = math.sqrt(sum((one - mean) ** 2 for one in drawn) / len(drawn))
    assert deviation == pytest.approx(0.2 / math.sqrt(3), rel=0.05)


def test_shuffled_scores_are_the_same_scores_in_every_order():
    scores = [1.0, None, 0.5, 0.0]
    dealt = [tuple(shuffled(scores, 0, task)) for task in TASKS]
    orders = Counter(dealt)
    assert len(orders) == 6
    assert all(sorted(filter(None, one)) == [0.5, 1.0] and one[1] is None for one in orders)
    assert min(orders.values()) > 2000 / 6 * 0.75
    assert shuffled([], 0, "t") == []
    assert shuffled([None], 0, "t") == [None]


@pytest.mark.parametrize(("probability", "low", "high"), [(0, 0, 0), (1, 1, 1), (0.4, 0.35, 0.45)])
def test_flips_are_one_decision_per_task(probability, low, high):
    share = sum(flips(probability, 0, task) for task in TASKS) / len(TASKS)
    assert low <= share <= high


def test_noise():
    assert [noisy(score, True) for score in (0.0, 0.25, 1.0)] == [1.0, 0.75, 0.0]
    assert noisy(0.25, False) == 0.25
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"0\.\.1"):
            noisy(bad, True)
    with pytest.raises(ValueError, match="probability"):
        flips(1.5, 0, "t")
