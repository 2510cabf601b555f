"""Sibling scores against groups worked by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inward_rewards.groups import (
    MIN_STD,
    absolute_bonus,
    group_bonus,
    length_residuals,
    zscores,
)

# Mean 3, deviations -2 -1 0 1 2, sum of squares 10, over 4: 2.5.
FIVE = [1.0, 2.0, 3.0, 4.0, 5.0]
STEP = 1 / math.sqrt(2.5)


def test_zscores_by_hand():
    assert zscores(FIVE) == pytest.approx([-2 * STEP, -STEP, 0, STEP, 2 * STEP])


@pytest.mark.parametrize("values", [[2.0] * 4, [7.0], [1.0, 1.0 + 1e-7], [3.0, 3.0001, 2.9999], []])
def test_a_group_without_order_is_all_zero(values):
    assert zscores(values) == [0.0] * len(values)


def test_the_floor_is_the_error_of_the_values():
    alike = [3.0, 3.00002, 2.99999, 3.00001]  # one text in four batches
    assert group_bonus(alike, [True] * 4) == [0.0] * 4
    assert group_bonus([10 * value for value in alike], [True] * 4, floor=0.02) == [0.0] * 4
    assert max(group_bonus([3.0, 3.002], [True] * 2)) > 0.05
    # The source's own floor, by its name.
    assert max(zscores(alike, floor=MIN_STD)) > 1


def test_errored_siblings_move_nobody():
    values = [1.0, None, 2.0, 3.0, None, 4.0, 5.0]
    scores = zscores(values)
    assert [score for score in scores if score is not None] == pytest.approx(zscores(FIVE))
    assert scores[1] is scores[4] is None
    assert zscores([None, None]) == [None, None]
    assert zscores([None, 3.0]) == [None, 0.0]


def test_members_alone_set_the_measure():
    # Members 1 and 3: mean 2, deviation sqrt(2). The others are measured by them.
    scores = zscores([1.0, 3.0, 5.0], [True, True, False])
    assert scores == pytest.approx([-1 / math.sqrt(2), 1 / math.sqrt(2), 3 / math.sqrt(2)])


def test_bonus_by_hand():
    right = [True, False, True, False, True]
    gated = group_bonus(FIVE, right)
    assert gated == pytest.approx([-0.1, 0, 0, 0, 0.1])
    assert group_bonus(FIVE, right, gate="none") == pytest.approx(
        [-0.1, -0.1 * STEP, 0, 0.1 * STEP, 0.1]
    )
    # Only the right ones, 1, 3 and 5: mean 3, deviation 2.
    assert group_bonus(FIVE, right, over="correct", band=0.05) == pytest.approx(
        [-0.05, 0, 0, 0, 0.05]
    )
    assert group_bonus(FIVE, right, over="correct", gate="none") == pytest.approx(
        [-0.1, -0.05, 0, 0.05, 0.1]
    )


def test_a_right_answer_below_the_mean_is_fined_unless_only_right_ones_count():
    values, right = [1.0, 9.0, 9.0, 9.0], [True, False, False, False]
    assert group_bonus(values, right)[0] == -0.1
    assert group_bonus(values, right, over="correct")[0] == 0.0


def test_all_equal_one_sibling_and_errors():
    assert group_bonus([2.0] * 3, [True] * 3) == [0.0] * 3
    assert group_bonus([2.0], [True]) == [0.0]
    assert group_bonus([None, 1.0, 2.0], [False, True, True]) == pytest.approx(
        [None, -0.1 / math.sqrt(2), 0.1 / math.sqrt(2)]
    )


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_value_that_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        group_bonus([1.0, bad], [True, True])


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="zip"):
        group_bonus([1.0, 2.0], [True])


@given(
    st.lists(st.tuples(st.none() | st.floats(-1e6, 1e6), st.booleans()), max_size=12),
    st.sampled_from(["all", "correct"]),
    st.sampled_from(["correct", "none"]),
)
def test_bonus_stays_in_its_band(siblings, over, gate):
    values, right = [v for v, _ in siblings], [r for _, r in siblings]
    for value, bonus, ok in zip(
        values, group_bonus(values, right, over=over, gate=gate), right, strict=True
    ):
        assert (bonus is None) == (value is None)
        if bonus is not None:
            assert -0.1 <= bonus <= 0.1
            assert ok or gate == "none" or bonus == 0


def test_absolute_bonus():
    assert [absolute_bonus(f) for f in (0, 0.25, 0.5, 1)] == pytest.approx([-0.1, -0.05, 0, 0.1])
    assert absolute_bonus(1 + 1e-4) == 0.1
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"0\.\.1"):
            absolute_bonus(bad)


def test_residuals_by_hand():
    """Log2 of the lengths 0, 1, 2, 3 against 1, 3, 2, 4: slope 4 / 5, through (1.5, 2.5)."""
    found = length_residuals([1.0, 3.0, 2.0, 4.0], [1, 2, 4, 8])
    assert found == pytest.approx([-0.3, 0.9, -0.9, 0.3])


def test_residuals_of_lengths_alone_are_no_order():
    lengths = [16, 40, 100, 250, 512]
    entropies = [0.3 + 0.7 * math.log(n) for n in lengths]
    assert group_bonus(length_residuals(entropies, lengths), [True] * 5) == [0.0] * 5
    # Of one length: the distance from the mean.
    assert length_residuals(FIVE, [7] * 5) == pytest.approx([-2, -1, 0, 1, 2])
    # Two or three points lie on a line, or nearly.
    for few in (FIVE[:3], FIVE[:1], []):
        assert length_residuals(few, lengths[: len(few)]) == [0.0] * len(few)


@given(st.lists(st.tuples(st.floats(0, 12), st.integers(1, 4096)), min_size=4, max_size=16))
def test_residuals_are_uncorrelated_with_the_length(pairs):
    entropies, tokens = [list(side) for side in zip(*pairs, strict=True)]
    residuals = length_residuals(entropies, tokens)
    logs = [math.log(n) for n in tokens]
    mean = sum(logs) / len(logs)
    assert sum(residuals) == pytest.approx(0, abs=1e-6)
    assert sum(r * (x - mean) for r, x in zip(residuals, logs, strict=True)) == pytest.approx(
        0, abs=1e-6
    )


@pytest.mark.parametrize(
    ("entropies", "tokens"), [([math.nan] * 4, [1] * 4), ([1.0] * 4, [1, 2, 0, 3])]
)
def test_residuals_of_what_cannot_be_are_refused(entropies, tokens):
    with pytest.raises(ValueError, match="residuals need finite entropies"):
        length_residuals(entropies, tokens)
