"""Table F1 by relative mapping similarity (RMS), after DePlot (arXiv 2212.10505, section 4.2).

Rows of the two tables are paired by their keys alone, at the least total distance; a pair then
counts for (1 - distance of keys) * (1 - distance of values). Precision divides the sum by the rows
of the candidate, recall by those of the reference. As in the paper, a name that differs in more
than half of its letters, or a number that is off by more than half, is wholly wrong, and a table
may be transposed.

Three things differ from the paper, since rows are read from pictures of every kind. Keys that are
numbers or dates (the places of points) are compared as such, not as text: wholly different from a
tenth of the reference's spread. Rows with equal keys (the numbers of one box) are paired by value.
A value next to zero is judged by 2 % of the largest of its series: no eye reads it finer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

from .scene import Key, Row

Matrix: TypeAlias = "npt.NDArray[np.float64]"

WRONG = 0.5
"""DePlot's tau and theta: the distance of names or numbers from which nothing is right."""
PLACE = 0.1
"""The part of the spread of a key's numbers from which two places have nothing in common."""
NEAR_ZERO = 0.02
"""Least denominator of a relative error, as a part of the largest value of the series."""
_TIE = 1e-4
"""Weight of the values in the pairing: enough to choose among equal keys."""


@dataclass(frozen=True)
class TableScore:
    """All in [0, 1]; `f1` is the harmonic mean of the other two."""

    f1: float
    precision: float
    recall: float


def table_f1(reference: Sequence[Row], candidate: Sequence[Row]) -> TableScore:
    """RMS F1 of a candidate's table. No rows score 0.

    Raises `ValueError` for a reference without rows or with a value that is not finite: then the
    data is at fault, not the candidate.
    """
    if not reference:
        raise ValueError("the reference table has no rows: nothing can be scored against it")
    if not np.isfinite([row.value for row in reference]).all():
        raise ValueError("the reference table holds a value that is not finite")
    if not candidate:
        return TableScore(0.0, 0.0, 0.0)
    plain = _score(reference, candidate)
    if plain.f1 == 1 or all(len(row.keys) < 2 for row in candidate):
        return plain
    turned = [Row((*row.keys[1:2], *row.keys[:1], *row.keys[2:]), row.value) for row in candidate]
    return max(plain, _score(reference, turned), key=lambda score: score.f1)


def _score(reference: Sequence[Row], candidate: Sequence[Row]) -> TableScore:
    keys = _key_distances(reference, candidate)
    values = _value_distances(reference, candidate)
    pairs = linear_sum_assignment(keys + _TIE * values)
    hit = float(((1 - keys[pairs]) * (1 - values[pairs])).sum())
    precision, recall = hit / len(candidate), hit / len(reference)
    total = precision + recall
    return TableScore(2 * precision * recall / total if total else 0.0, precision, recall)


def _value_distances(reference: Sequence[Row], candidate: Sequence[Row]) -> Matrix:
    """(reference, candidate): relative errors, 1 where they exceed `WRONG`."""
    largest: dict[tuple[Key, ...], float] = defaultdict(float)
    for row in reference:
        largest[row.keys[1:]] = max(largest[row.keys[1:]], abs(row.value))
    true = np.array([row.value for row in reference])[:, None]
    told = np.array([row.value for row in candidate])[None]
    least = np.array([NEAR_ZERO * largest[row.keys[1:]] for row in reference])[:, None]
    scale = np.maximum(np.abs(true), least)
    error = np.abs(told - true) / np.where(scale > 0, scale, 1.0)
    error[np.broadcast_to(scale == 0, error.shape) & (told != true)] = 1.0
    return np.where(error <= WRONG, error, 1.0)


def _key_distances(reference: Sequence[Row], candidate: Sequence[Row]) -> Matrix:
    """(reference, candidate): mean distance of the keys, place by place; a missing key counts 1."""
    counts = (
        np.array([len(row.keys) for row in reference])[:, None],
        np.array([len(row.keys) for row in candidate])[None],
    )
    longest = np.maximum(*counts)
    total = np.zeros(longest.shape)
    for place in range(int(longest.max())):
        mine = [row.keys[place] if place < len(row.keys) else None for row in reference]
        other = [row.keys[place] if place < len(row.keys) else None for row in candidate]
        total += _place_distances(mine, other)
    distance: Matrix = total / np.maximum(longest, 1)
    return distance


def _place_distances(mine: list[Key | None], other: list[Key | None]) -> Matrix:
    """Distances of the keys at one place: numbers and dates by difference, names by letters."""
    left, right = list(dict.fromkeys(mine)), list(dict.fromkeys(other))
    table = cdist(
        [_name(key) for key in left],
        [_name(key) for key in right],
        scorer=Levenshtein.normalized_distance,
        score_cutoff=WRONG,
        dtype=np.float64,
    )
    numbers = np.array([_number(key) for key in left])[:, None]
    others = np.array([_number(key) for key in right])[None]
    known = np.isfinite(numbers)
    spread = float(np.ptp(numbers[known])) if known.any() else 0.0
    gap = np.abs(numbers - others)
    # One place alone has no spread: it is right or wrong.
    near = np.minimum(gap / (PLACE * spread), 1.0) if spread > 0 else (gap > 0).astype(float)
    both = known & np.isfinite(others)
    table = np.where(both, near, np.where(known ^ np.isfinite(others), 1.0, table))
    absent = np.array([key is None for key in left])[:, None]
    others_absent = np.array([key is None for key in right])[None]
    table = np.where(absent & others_absent, 0.0, np.where(absent | others_absent, 1.0, table))
    rows = {key: i for i, key in enumerate(left)}
    columns = {key: i for i, key in enumerate(right)}
    picked: Matrix = table[np.ix_([rows[key] for key in mine], [columns[key] for key in other])]
    return picked


def _name(key: Key | None) -> str:
    return " ".join(str(key).casefold().split())


def _number(key: Key | None) -> float:
    """A number for numbers, and years with a fraction for dates; NaN for a name."""
    if isinstance(key, str):
        return _year(key) if key[4:5] == "-" else _plain(key)
    return float("nan") if key is None else float(key)


def _plain(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _year(text: str) -> float:
    """An ISO date or time in years, so that 2024 and 2024-01-01 are the same place."""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return float("nan")
    start = date(day.year, 1, 1).toordinal()
    hours = int(text[11:13]) / 24 if text[11:13].isdigit() else 0.0
    return day.year + (day.toordinal() - start + hours) / 366
