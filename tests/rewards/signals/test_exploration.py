"""RepExp and effective-rank dynamics against the definitions, in another form of linear algebra."""

from __future__ import annotations

import math

import numpy as np
import pytest
from inward_rewards.signals import elliptical_bonus, rank_dynamics


def by_definition(states, ridge, leave_one_out):
    rows = np.asarray(states, dtype=np.float64)
    rows = rows - rows.mean(0)
    bonuses = []
    for index, own in enumerate(rows):
        matrix = ridge * np.eye(rows.shape[1])
        for other, row in enumerate(rows):
            if other != index or not leave_one_out:
                matrix += np.outer(row, row)
        bonuses.append(own @ np.linalg.solve(matrix, own))
    return bonuses


@pytest.mark.parametrize(("group", "dim"), [(2, 3), (8, 32), (16, 8)])
@pytest.mark.parametrize("ridge", [0.01, 1.0])
def test_bonuses_by_the_definition(group, dim, ridge):
    states = np.random.default_rng(group * dim).normal(size=(group, dim))
    for form in ("leave_one_out", "leverage"):
        found = elliptical_bonus(states.tolist(), ridge=ridge, form=form)
        expected = by_definition(states, ridge, form == "leave_one_out")
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_hacks():
    """What is new is paid, whatever it says."""
    draw = np.random.default_rng(1)
    usual = draw.normal(size=(1, 32)) + 0.1 * draw.normal(size=(8, 32))
    gibberish = draw.normal(size=(1, 32)) * 3
    leverage = elliptical_bonus([*usual.tolist(), *gibberish.tolist()], ridge=1.0, form="leverage")
    assert leverage[-1] == max(leverage)
    assert leverage[-1] > 0.85
    assert elliptical_bonus([[1.0, 2.0]] * 4) == [0.0] * 4  # one reply four times
    assert elliptical_bonus([[5.0, 1.0]]) == [0.0]  # alone


def test_far_apart_all_are_equally_new():
    """Centred states span one dimension less than they are: the bonus ends at group - 1, and a
    spread far above sqrt(ridge) leaves no order among siblings."""
    far = (1e4 * np.random.default_rng(2).normal(size=(8, 32))).tolist()
    assert elliptical_bonus(far) == pytest.approx([7.0] * 8, rel=1e-3)
    assert elliptical_bonus(far, form="leverage") == pytest.approx([7 / 8] * 8, rel=1e-3)


@pytest.mark.parametrize("bad", [[], [[1.0], [1.0, 2.0]], [[math.nan]], [[]]])
def test_states_that_cannot_be_are_refused(bad):
    with pytest.raises(ValueError, match="states"):
        elliptical_bonus(bad)


def test_a_ridge_of_nothing_is_refused():
    with pytest.raises(ValueError, match="ridge"):
        elliptical_bonus([[1.0], [2.0]], ridge=0)


@pytest.mark.parametrize(
    ("ranks", "velocity", "acceleration"),
    [
        ([], 0, 0),
        ([5.0], 0, 0),
        ([5.0, 7.0], 2.0, 0),
        # δ: 7 - 5 = 2, 9 - 6 = 3, 9 - 7 = 2; differences 1, -1.
        ([5.0, 7.0, 9.0, 9.0], 7 / 3, 0.0),
        ([4.0, 4.0, 4.0], 0, 0),
    ],
)
def test_rank_dynamics(ranks, velocity, acceleration):
    assert rank_dynamics(ranks) == pytest.approx((velocity, acceleration))
