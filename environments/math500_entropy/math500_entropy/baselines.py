"""Floors for the report: policies that solve nothing."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

Policy = Callable[[dict[str, Any]], dict[str, Any]]

COMMONEST = 3
"""The most frequent answer of MATH-500: 19 of 500."""


def make_constant(seed: int) -> Policy:
    """Always answers COMMONEST."""
    return lambda body: _reply("The commonest answer.", COMMONEST)


def make_random_integer(seed: int) -> Policy:
    """Answers a random integer from 0 to 20, the same for the same problem and seed."""

    def policy(body: dict[str, Any]) -> dict[str, Any]:
        draw = random.Random(f"{seed} {body['messages'][-1]['content']}")
        return _reply("A guess.", draw.randint(0, 20))

    return policy


_EXPRESSION = re.compile(
    r"\$\$(.+?)\$\$|(?<!\\)\$(.+?)(?<!\\)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL
)


def make_copy_first_expression(seed: int) -> Policy:
    """Answers with the problem's own first formula; with the whole of it where it has none."""

    def policy(body: dict[str, Any]) -> dict[str, Any]:
        problem: str = body["messages"][-1]["content"]
        match = _EXPRESSION.search(problem)
        return _reply("A copy.", next(filter(None, match.groups())) if match else problem)

    return policy


def _reply(thought: str, answer: int | str) -> dict[str, Any]:
    content = f"<think>{thought}</think>\n<answer>{answer}</answer>"
    return {"role": "assistant", "content": content}
