"""What k rollouts of a question would score, without bias, from n >= k that were played."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence


def pass_at_k(rollouts: int, right: int, k: int) -> float:
    """The chance that one of k rollouts, drawn without replacement, is right: 1 - C(n - c, k) /
    C(n, k) for c right ones of n [Chen et al. 2021, "Evaluating Large Language Models Trained on
    Code", equation 1]. Raises ValueError for k outside 1 to n and c outside 0 to n."""
    _check(rollouts, k)
    if not 0 <= right <= rollouts:
        raise ValueError(f"right={right} of {rollouts} rollouts: it must be from 0 to {rollouts}")
    return 1 - math.comb(rollouts - right, k) / math.comb(rollouts, k)


def expected_best(values: Sequence[float], k: int) -> float:
    """The expected largest of k of the values, drawn without replacement.

    For values of 0 and 1 it is `pass_at_k`. Raises ValueError for k outside 1 to the number of
    values.
    """
    count = len(values)
    if not 1 <= k <= count:
        raise ValueError(f"k is from 1 to the number of values, {count}, got {k}")
    # The i-th smallest is the best of as many draws as take the others from the i before it.
    weights = (math.comb(i, k - 1) for i in range(count))
    total = math.fsum(v * w for v, w in zip(sorted(values), weights, strict=True))
    return total / math.comb(count, k)


def maj_at_k(answers: Sequence[Hashable | None], right: Hashable, k: int) -> float:
    """The chance that the commonest answer of k rollouts, drawn without replacement, is `right`
    (self-consistency [Wang et al. 2023]); of answers equally common, each is taken as often.

    `answers` has one per rollout, equal where they mean the same; None, a rollout without an
    answer, has no vote. Raises ValueError for k outside 1 to the number of answers, and where
    `right` is None.
    """
    _check(len(answers), k)
    if right is None:
        raise ValueError("right=None: the right answer is one that a rollout can give")
    counts = Counter(answers)
    silent, of_right = counts.pop(None, 0), counts.pop(right, 0)
    score = 0.0
    for votes in range(1, min(of_right, k) + 1):
        # (votes of the others so far, answers tied with the right one) -> ways to draw them.
        ways = {(0, 0): math.comb(of_right, votes)}
        for count in counts.values():
            ways = _with_answer(ways, count, votes, k - votes)
        for (others, tied), number in ways.items():
            draws = number * math.comb(silent, k - votes - others)
            score += draws / math.comb(len(answers), k) / (tied + 1)
    return score


_Ways = dict[tuple[int, int], int]


def _with_answer(ways: _Ways, count: int, votes: int, left: int) -> _Ways:
    """With another answer, given by `count` rollouts, that has at most `votes` votes."""
    grown: _Ways = {}
    for (others, tied), number in ways.items():
        for drawn in range(min(count, votes, left - others) + 1):
            key = others + drawn, tied + (drawn == votes)
            grown[key] = grown.get(key, 0) + number * math.comb(count, drawn)
    return grown


def _check(rollouts: int, k: int) -> None:
    if not 1 <= k <= rollouts:
        raise ValueError(f"k={k} of {rollouts} rollouts: it must be from 1 to {rollouts}")
