"""Table F1: how many of the numbers that one chart shows another shows too, read off its axes.

Rows of the two tables are paired by their keys alone, at the least total distance; a pair then
counts for (1 - distance of keys) * (credit of its number). Precision divides the sum by the rows of
the candidate, recall by those of the reference. The frame is DePlot's relative mapping similarity
(arXiv 2212.10505, section 4.2; `rms` has it as released): a name that differs in more than half of
its letters is wholly wrong, and a table may be transposed. The numbers are judged otherwise.

A number is read off an axis, so its error is measured in parts of what the values of its scale span
as drawn (`Row.span`), not of the number itself, and the credit falls fast: 0.99 at 2 % of the span,
0.88 at 5 %, 0.37 at 10 %, 0.03 at 15 %. One value at every place, or the true values in another
order, keep little then, whatever the numbers are.

Keys that are numbers or dates (the places of points) are compared as such, not as text: wholly
different from a tenth of the reference's spread. Rows with equal keys (the numbers of one box) are
paired by value, and each counts for the geometric mean of their credits: a box is read as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

from inward_rewards.charts.reading import Key, Row

Matrix: TypeAlias = "npt.NDArray[np.float64]"

WRONG = 0.5
"""DePlot's theta of texts: the distance of names from which nothing is right."""
PLACE = 0.1
"""The part of the spread of a key's numbers from which two places have nothing in common."""
SHARPNESS = 0.1
"""The credit of a number that is off by e spans is exp(-(e / SHARPNESS)^3)."""
_LEAST = 1e-6
"""Of a credit, so that its logarithm is finite."""
_TIE = 1e-4
"""Weight of the values in the pairing: enough to choose among equal keys."""


@dataclass(frozen=True)
class TableScore:
    """All in [0, 1]; `f1` is the harmonic mean of the other two."""

    f1: float
    precision: float
    recall: float


@dataclass(frozen=True)
class Match:
    """A reference row and the candidate row that it was paired with; None where one is missing."""

    reference: Row | None
    candidate: Row | None
    credit: float
    """In [0, 1]: of the keys times of the number."""


def table_f1(reference: Sequence[Row], candidate: Sequence[Row]) -> TableScore:
    """F1 of a candidate's table. No rows score 0.

    Raises `ValueError` for a reference without rows or with a value that is not finite: then the
    data is at fault, not the candidate.
    """
    _check(reference)
    if not candidate:
        return TableScore(0.0, 0.0, 0.0)
    return max((_score(pairs) for pairs in _pairings(reference, candidate)), key=_f1)


def table_matches(reference: Sequence[Row], candidate: Sequence[Row]) -> list[Match]:
    """How `table_f1` paired the rows: for each reference row, and then for each candidate row that
    is left, its partner and the credit.

    Their credits' sum, divided by the rows of either table, is `TableScore`'s recall and precision.
    Raises `ValueError` as `table_f1` does.
    """
    _check(reference)
    if not candidate:
        return [Match(row, None, 0.0) for row in reference]
    best = max(_pairings(reference, candidate), key=lambda pairs: _f1(_score(pairs)))
    partners = dict(zip(best.rows, zip(best.columns, best.credits, strict=True), strict=True))
    matches = []
    for place, row in enumerate(reference):
        column, credit = partners.get(place, (None, 0.0))
        matches.append(Match(row, None if column is None else candidate[column], credit))
    taken = set(best.columns)
    return matches + [
        Match(None, row, 0.0) for column, row in enumerate(candidate) if column not in taken
    ]


def _check(reference: Sequence[Row]) -> None:
    if not reference:
        raise ValueError("the reference table has no rows: nothing can be scored against it")
    if not np.isfinite([row.value for row in reference]).all():
        raise ValueError("the reference table holds a value that is not finite")


@dataclass(frozen=True)
class _Pairing:
    rows: list[int]
    columns: list[int]
    credits: list[float]
    counts: tuple[int, int]
    """Rows of the reference and of the candidate."""


def _pairings(reference: Sequence[Row], candidate: Sequence[Row]) -> Iterator[_Pairing]:
    """The pairing of the tables as they are, and with the candidate transposed."""
    yield _pair(reference, candidate)
    if any(len(row.keys) > 1 for row in candidate):
        turned = (replace(row, keys=(*row.keys[1::-1], *row.keys[2:])) for row in candidate)
        yield _pair(reference, list(turned))


def _pair(reference: Sequence[Row], candidate: Sequence[Row]) -> _Pairing:
    keys = _key_distances(reference, candidate)
    values = _value_distances(reference, candidate)
    pairs = linear_sum_assignment(keys + _TIE * values)
    credits = _together([reference[row].keys for row in pairs[0]], 1 - values[pairs])
    return _Pairing(
        pairs[0].tolist(),
        pairs[1].tolist(),
        ((1 - keys[pairs]) * credits).tolist(),
        (len(reference), len(candidate)),
    )


def _score(pairs: _Pairing) -> TableScore:
    hit = float(np.sum(pairs.credits))
    recall, precision = (hit / count for count in pairs.counts)
    total = precision + recall
    return TableScore(2 * precision * recall / total if total else 0.0, precision, recall)


def _f1(score: TableScore) -> float:
    return score.f1


def _together(keys: list[tuple[Key, ...]], credits: Matrix) -> Matrix:
    """The credits of numbers with equal keys, as their geometric mean: a box is read as one."""
    places: dict[tuple[Key, ...], int] = {}
    groups = np.array([places.setdefault(key, len(places)) for key in keys], dtype=np.int64)
    logs = np.log(np.maximum(credits, _LEAST))
    means = np.bincount(groups, logs) / np.bincount(groups)
    shared: Matrix = np.where(np.bincount(groups)[groups] > 1, np.exp(means)[groups], credits)
    return shared


def _value_distances(reference: Sequence[Row], candidate: Sequence[Row]) -> Matrix:
    """(reference, candidate): one less the credit of the number."""
    true = np.array([row.value for row in reference])
    read = np.array([row.value for row in candidate])
    logs = np.array([row.log and row.value > 0 for row in reference])
    spans = _spans(reference)
    with np.errstate(all="ignore"):
        error = np.abs(true[:, None] - read[None])
        ratio = np.abs(np.log(read[None] / true[:, None]))
        error = np.where(logs[:, None], ratio, error) / spans[:, None]
        credit = np.exp(-((error / SHARPNESS) ** 3))
    distance: Matrix = 1 - np.where(np.isfinite(error), credit, 0.0)
    return distance


def _spans(reference: Sequence[Row]) -> Matrix:
    """What each row's error is a part of: the span of its scale, or of the values without one."""
    bare = [row.value for row in reference if not row.span]
    spread = max(bare) - min(bare) if bare else 0.0
    # Equal values span nothing: each is right or wrong as a part of itself.
    return np.array([row.span or spread or abs(row.value) or 1.0 for row in reference])


def _key_distances(reference: Sequence[Row], candidate: Sequence[Row]) -> Matrix:
    """(reference, candidate): mean distance of the keys, place by place; a missing key counts 1."""
    counts = (
        np.array([len(row.keys) for row in reference])[:, None],
        np.array([len(row.keys) for row in candidate])[None],
    )
    longest = np.maximum(*counts)
    total = np.zeros(longest.shape)
    for place in range(int(longest.max())):
        keys = [
            [row.keys[place] if place < len(row.keys) else None for row in rows]
            for rows in (reference, candidate)
        ]
        total += _place_distances(*keys)
    distance: Matrix = total / np.maximum(longest, 1)
    return distance


def _place_distances(reference: list[Key | None], candidate: list[Key | None]) -> Matrix:
    """Distances of the keys at one place: numbers and dates by difference, names by letters."""
    rows, columns = list(dict.fromkeys(reference)), list(dict.fromkeys(candidate))
    table = cdist(
        [_name(key) for key in rows],
        [_name(key) for key in columns],
        scorer=Levenshtein.normalized_distance,
        score_cutoff=WRONG,
        dtype=np.float64,
    )
    true = np.array([_number(key) for key in rows])[:, None]
    read = np.array([_number(key) for key in columns])[None]
    known = np.isfinite(true)
    spread = float(np.ptp(true[known])) if known.any() else 0.0
    gap = np.abs(true - read)
    # One place alone has no spread: it is right or wrong.
    near = np.minimum(gap / (PLACE * spread), 1.0) if spread > 0 else (gap > 0).astype(float)
    both = known & np.isfinite(read)
    table = np.where(both, near, np.where(known ^ np.isfinite(read), 1.0, table))
    no_row = np.array([key is None for key in rows])[:, None]
    no_column = np.array([key is None for key in columns])[None]
    table = np.where(no_row & no_column, 0.0, np.where(no_row | no_column, 1.0, table))
    row_of = {key: i for i, key in enumerate(rows)}
    column_of = {key: i for i, key in enumerate(columns)}
    picked: Matrix = table[
        np.ix_([row_of[key] for key in reference], [column_of[key] for key in candidate])
    ]
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
    hours = int(text[11:13]) / 24 if text[11:13].isdecimal() else 0.0
    return day.year + (day.toordinal() - start + hours) / 366
