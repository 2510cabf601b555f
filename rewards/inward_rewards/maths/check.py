"""One answer against one gold, with math-verify.

Runs in the pool's workers only: it sets no limits of its own, and what it is given may never end.
"""

import logging
from functools import lru_cache
from typing import Any

import sympy.core.random
from math_verify import parse, verify

from inward_rewards.maths.verdict import Reason

# math-verify warns once a process that its own timeouts are off: they need the main thread of a
# program and cannot stop C code, so the pool's limits take their place.
logging.getLogger("math_verify").setLevel(logging.ERROR)


class UnreadableGoldError(ValueError):
    """math-verify reads nothing in the gold answer: no answer could ever match it."""


def check(gold: str, answer: str) -> Reason:
    """`equal`, `different` or `unreadable`. Raises `UnreadableGoldError`."""
    # sympy draws random points to tell expressions apart; the same answer gets the same points.
    sympy.core.random.seed(0)
    expected = _read_gold(gold)
    found = read(answer)
    if not found:
        return "unreadable"
    return "equal" if verify(expected, found, timeout_seconds=None) else "different"


def read(text: str) -> list[Any]:
    """math-verify's readings of an answer's text: sympy objects, and the text it read them from."""
    readings: list[Any] = parse(f"\\boxed{{{text}}}", parsing_timeout=None)
    return readings


@lru_cache(maxsize=4096)
def _read_gold(gold: str) -> list[Any]:
    readings = read(gold)
    if not readings:
        raise UnreadableGoldError(
            f"the gold answer {gold!r} has no mathematical reading: mend or drop its row"
        )
    return readings
