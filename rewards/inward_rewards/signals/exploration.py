"""Rewards for exploring, of a group's hidden states and of how their rank grows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal

LAMBDA = 0.01
"""RepExp's ridge, as in its published configuration."""


def elliptical_bonus(
    states: Sequence[Sequence[float]],
    *,
    ridge: float = LAMBDA,
    form: Literal["leave_one_out", "leverage"] = "leave_one_out",
) -> list[float]:
    """How new each sibling's mean state is beside the others', [group, dim] -> [group].

    leave_one_out: b_i = h_iᵀ (ridge · I + Σ_{j≠i} h_j h_jᵀ)⁻¹ h_i, in 0..group - 1.
    leverage: the sum takes in i, as in the published training script; in 0..1 - 1/group.
    The states are centred on the group's mean first. Where they lie further apart than sqrt(ridge),
    each in a direction of its own, all are equally new. Solved in the group's dimension by
    A = (ridge · I + H Hᵀ)⁻¹: b_i = 1 / (ridge · A_ii) - 1, or 1 - ridge · A_ii.
    Source: RepExp (arXiv 2510.11686), and its code for training: a sparse random
    projection of the last layer's mean state, 32 numbers for MATH and 128 for DAPO.
    ValueError: no state, lengths that differ, values that are not finite, a ridge of 0.
    """
    import numpy as np

    rows = np.asarray(states, dtype=np.float64) if len({len(s) for s in states}) == 1 else None
    if rows is None or rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise ValueError("the siblings' states must be finite and of one length, at least one")
    if not (math.isfinite(ridge) and ridge > 0):
        raise ValueError(f"ridge must be a number above 0, got {ridge!r}")
    rows = rows - rows.mean(0)
    values, vectors = np.linalg.eigh(rows @ rows.T)
    # Rounding makes eigenvalues of a semidefinite matrix slightly negative.
    inverse = (vectors**2 / (ridge + np.clip(values, 0, None))).sum(1)
    share = np.clip(ridge * inverse, np.finfo(np.float64).tiny, 1)
    bonuses = 1 - share if form == "leverage" else 1 / share - 1
    return [float(bonus) for bonus in bonuses]


def rank_dynamics(ranks: Sequence[float]) -> tuple[float, float]:
    """(ERV, ERA) of the effective ranks m_1, m_2, … of a completion's growing prefixes.

    δ_j = m_j - mean(m_1 … m_{j-1}), ERV = mean of the δ_j, ERA = mean of δ_j - δ_{j-1}; 0 where a
    completion is too short to have any. The prefixes end at token 40 + 1, 80 + 1, … in the source.
    Source: VERL (arXiv 2509.23808), in its released code.
    """
    deltas = [
        rank - math.fsum(ranks[:index]) / index for index, rank in enumerate(ranks) if index > 0
    ]
    steps = [after - before for before, after in itertools.pairwise(deltas)]
    return _mean(deltas), _mean(steps)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
