"""Steps of a reasoning, and what each tells of the answer."""

from __future__ import annotations

import math

import pytest
from inward_rewards.signals import entropy_reductions, reasoning_steps
from inward_rewards.signals.steps import MAX_STEPS

CASES = [
    ("First.\n\nSecond.\n\nThird.", ["First.\n\n", "Second.\n\n", "Third."]),
    ("One line.\nAnother. Still it.", ["One line.\n", "Another. Still it."]),
    ("One. Two! Three? Four", ["One. ", "Two! ", "Three? ", "Four"]),
    ("no end", ["no end"]),
    ("x = 3.5 is no end", ["x = 3.5 is no end"]),
    ("A.\n\n \n\n\nB.\n\n", ["A.\n\n \n\n\n", "B.\n\n"]),
    ("\n\nA.\n\nB.", ["\n\nA.\n\n", "B."]),
    ("", []),
    (" \n\n ", []),
]


@pytest.mark.parametrize(("text", "steps"), CASES)
def test_steps(text, steps):
    assert reasoning_steps(text) == steps
    assert "".join(steps) in (text, "")


@pytest.mark.parametrize("count", [MAX_STEPS, MAX_STEPS + 1, 100, 5000])
def test_many_steps_are_taken_together(count):
    text = "".join(f"Step {n}.\n\n" for n in range(count))
    steps = reasoning_steps(text)
    assert len(steps) == MAX_STEPS
    assert "".join(steps) == text
    sizes = [step.count("Step") for step in steps]
    assert max(sizes) - min(sizes) <= 1


def test_blank_lines_cost_no_more_than_their_length():
    assert len(reasoning_steps(("\n" + " " * 50) * 20_000 + "x")) == 1


def test_reductions_add_up():
    assert entropy_reductions([2.0, 1.5, 1.75, 0.25]) == [0.5, -0.25, 1.5]
    assert entropy_reductions([0.7]) == []


@pytest.mark.parametrize("bad", [[], [1.0, math.nan], [1.0, -0.5], [math.inf]])
def test_what_is_no_entropy_is_refused(bad):
    with pytest.raises(ValueError, match="entropy"):
        entropy_reductions(bad)
