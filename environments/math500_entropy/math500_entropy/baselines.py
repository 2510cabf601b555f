"""Floors for the report: policies that solve nothing."""

import random
import re
from collections.abc import Callable
from typing import Any

from math500_entropy.prompt import INSTRUCTIONS, in_layout

Policy = Callable[[dict[str, Any]], dict[str, Any]]

COMMONEST = 3
"""The most frequent answer of MATH-500: 19 of 500."""
_EXPRESSION = re.compile(
    r"\$\$(.+?)\$\$|(?<!\\)\$(.+?)(?<!\\)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL
)


def make_constant(seed: int) -> Policy:
    """Always answers COMMONEST."""
    return lambda body: _reply(body, COMMONEST, "The commonest answer.")


def make_random_integer(seed: int) -> Policy:
    """Answers a random integer from 0 to 20, the same for the same problem and seed."""

    def policy(body: dict[str, Any]) -> dict[str, Any]:
        draw = random.Random(f"{seed} {body['messages'][-1]['content']}")
        return _reply(body, draw.randint(0, 20), "A guess.")

    return policy


def make_copy_first_expression(seed: int) -> Policy:
    """Answers with the problem's own first formula; with the whole of it where it has none."""

    def policy(body: dict[str, Any]) -> dict[str, Any]:
        problem: str = body["messages"][-1]["content"]
        match = _EXPRESSION.search(problem)
        answer = next(filter(None, match.groups())) if match else problem
        return _reply(body, answer, "A copy.")

    return policy


def _reply(body: dict[str, Any], answer: int | str, thought: str) -> dict[str, Any]:
    """In the layout that the system prompt asks for."""
    boxed = INSTRUCTIONS["boxed"] in body["messages"][0]["content"]
    return {"content": in_layout("boxed" if boxed else "tags", answer, thought)}
