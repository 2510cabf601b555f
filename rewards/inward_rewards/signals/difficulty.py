"""ARES's hierarchical entropy reward: easy problems should be explored less, hard ones more.

How much a reply explores is its number of high-window-entropy tokens; how hard a problem is, its
group's share of right replies. Source: ARES (arXiv 2510.08457), with the constants of its
released reward (`aepo.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

Difficulty = Literal["easy", "medium", "hard"]

WINDOW = 4
"""Tokens of a window, as in the released configuration."""
TARGET: dict[Difficulty, float] = {"easy": 0.35, "medium": 0.5, "hard": 0.65}
"""Where in the range of the group's counts the target lies."""
CAP = 0.5
"""The largest reward or penalty; hard problems 1.2 times that."""
_MARGIN: dict[Difficulty, float] = {"easy": 0.15, "medium": 0.25, "hard": 0.35}
_KAPPA: dict[Difficulty, float] = {"easy": 2.0, "medium": 3.0, "hard": 4.0}
_TEMPERATURE: dict[Difficulty, float] = {"easy": 2.0, "medium": 2.5, "hard": 3.0}
_SCALE: dict[Difficulty, float] = {"easy": 1.0, "medium": 1.0, "hard": 1.2}
_WRONG: dict[Difficulty, float] = {"easy": 0.6, "medium": 0.8, "hard": 1.0}


def window_entropies(entropies: Sequence[float], window: int = WINDOW) -> list[float]:
    """(1/w) Σ_{t ≤ τ < t+w} H_τ for each t with a whole window: [tokens - w + 1], or none."""
    if window < 1:
        raise ValueError(f"a window holds at least one token, got {window!r}")
    return [
        math.fsum(entropies[start : start + window]) / window
        for start in range(len(entropies) - window + 1)
    ]


def difficulty_of(right: Sequence[bool]) -> Difficulty:
    """easy from a share of 2/3 right replies up, medium from 1/3 up, else hard."""
    if not right:
        raise ValueError("a group without a verdict has no difficulty")
    solved = sum(right)
    if 3 * solved >= 2 * len(right):
        return "easy"
    return "medium" if 3 * solved >= len(right) else "hard"


def target_of(counts: Sequence[int], difficulty: Difficulty) -> float:
    """min + share · (max - min) of the group's counts of high-window-entropy tokens."""
    return min(counts) + TARGET[difficulty] * (max(counts) - min(counts))


def ares(
    count: int, target: float, right: bool, difficulty: Difficulty, *, cap: float = CAP
) -> float:
    """The entropy part of the reward, in -cap..cap (hard: 1.2 times that); the answer's own reward
    is not in it.

    Right and easy: a Huber penalty for more tokens than the target; right and medium: for more or
    fewer; right and hard: a sigmoid bonus from just below the target on, a half penalty below it.
    Wrong: a sigmoid bonus, which is half of the cap times (0.6, 0.8, 1) already without any excess,
    so that a wrong reply is never paid 0. Within the margin (15, 25, 35 % of the target) nothing is
    penalised.
    """
    cap *= _SCALE[difficulty]
    kappa, temperature = _KAPPA[difficulty], _TEMPERATURE[difficulty]
    margin = max(1.0, _MARGIN[difficulty] * max(target, 1.0))
    excess = count - target
    if not right:
        return _sigmoid(max(excess - margin, 0.0) / temperature) * cap * _WRONG[difficulty]
    if difficulty == "hard" and excess >= -margin:
        return _sigmoid((excess + margin) / temperature) * cap
    off = {"easy": excess, "medium": abs(excess), "hard": -excess}[difficulty] - margin
    weight = 0.5 if difficulty == "hard" else 1.0
    return -min(cap, weight * _huber(max(off, 0.0), kappa) / (margin + kappa) * cap) + 0.0


def _huber(x: float, kappa: float) -> float:
    return 0.5 * x * x / kappa if x <= kappa else x - 0.5 * kappa


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))
