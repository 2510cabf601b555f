"""Relative mapping similarity (RMS) F1 of two tables, as DePlot released it (arXiv 2212.10505).

It is reported beside the reward, to compare with published figures, and is no part of it: its
numbers are judged relative to themselves, so a table of one value at every place keeps half of it.

A row is a mapping from its keys, joined by spaces, to its value. Mappings are paired by their keys
alone, at the least total of normalised edit distances, each 1 from `NAMES` on; a pair counts for
(1 - distance of keys) * (1 - relative error), the error being 1 from `NUMBERS` on. As released, a
reference of 0 is only right or wrong, and a table may be transposed.

The one choice of ours: among pairings of equal distance (repeated keys) the best one counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

from inward_rewards.charts.reading import Row

NAMES = 0.5
"""The released theta of texts."""
NUMBERS = 0.1
"""The released theta of numbers."""
_TIE = 1e-9

Matrix = npt.NDArray[np.float64]


def rms_f1(reference: Sequence[Row], candidate: Sequence[Row]) -> float:
    """In [0, 1]. Raises `ValueError` for a reference without rows."""
    if not reference:
        raise ValueError("the reference table has no rows: nothing can be scored against it")
    if not candidate:
        return 0.0
    plain = _f1(reference, candidate)
    if all(len(row.keys) < 2 for row in candidate):
        return plain
    turned = [Row((*row.keys[1:2], *row.keys[:1], *row.keys[2:]), row.value) for row in candidate]
    return max(plain, _f1(reference, turned))


def _f1(reference: Sequence[Row], candidate: Sequence[Row]) -> float:
    names = cdist(
        [_name(row) for row in reference],
        [_name(row) for row in candidate],
        scorer=Levenshtein.normalized_distance,
        dtype=np.float64,
    )
    names = np.where(names < NAMES, names, 1.0)
    credit = (1 - names) * (1 - _errors(reference, candidate))
    pairs = linear_sum_assignment(names - _TIE * credit)
    hit = float(credit[pairs].sum())
    # 2PR / (P + R) with P = hit / candidates and R = hit / references.
    return 2 * hit / (len(reference) + len(candidate))


def _errors(reference: Sequence[Row], candidate: Sequence[Row]) -> Matrix:
    true = np.array([row.value for row in reference])[:, None]
    read = np.array([row.value for row in candidate])[None]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        relative = np.abs(true - read) / np.where(true == 0, 1.0, np.abs(true))
    error = np.where(true == 0, read != 0, relative)
    return np.where(error < NUMBERS, error, 1.0)


def _name(row: Row) -> str:
    return " ".join(f"{key:.12g}" if isinstance(key, float) else str(key) for key in row.keys)
