"""The floors: what they answer, and that copying the question is no answer to it."""

from __future__ import annotations

import pytest
from inward_rewards.formats import parse_reply
from inward_rewards.maths import verify
from math500_entropy.baselines import (
    COMMONEST,
    make_constant,
    make_copy_first_expression,
    make_random_integer,
)
from math500_entropy.data import load_problems


def answer(policy, problem: str) -> str | None:
    return parse_reply(
        policy({"messages": [{"role": "user", "content": problem}]})["content"]
    ).answer


@pytest.mark.parametrize(
    ("problem", "copied"),
    [
        ("Simplify $\\sqrt{50} $ and $x$.", "\\sqrt{50}"),
        ("Simplify\n\\[\\frac{6}{8}\n+ 1.\\]", "\\frac{6}{8}\n+ 1."),
        ("For \\$5 each, are \\(x\\) enough?", "x"),
        ("Given $$y$$, find $z$.", "y"),
        ("How many days has May?", "How many days has May?"),
    ],
)
def test_the_first_expression_is_copied(problem, copied):
    assert answer(make_copy_first_expression(0), problem) == copied


def test_every_baseline_replies_in_the_layout():
    assert answer(make_constant(0), "Any?") == str(COMMONEST)
    for make in (make_constant, make_random_integer, make_copy_first_expression):
        assert answer(make(1), "Is $x$ odd?") is not None


async def test_copying_pays_for_no_problem_of_the_sample():
    policy = make_copy_first_expression(0)
    by_value = 0
    for one in load_problems("sample"):
        copy = answer(policy, one.problem)
        assert copy is not None
        assert not (await verify(one.answer, copy, problem=one.problem)).correct
        by_value += (await verify(one.answer, copy)).correct
    assert by_value > 0
