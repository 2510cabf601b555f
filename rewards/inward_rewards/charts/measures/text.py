"""F1 of the texts that two charts show: titles, labels, legend entries, printed values.

Texts are paired at the least total distance, each with at most one. A pair of numbers counts if
the numbers are equal, however they are written (1,000, 1k); any other pair counts for one minus
the part of letters to be changed, and for nothing above one half. A text weighs as much as it has
words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

from inward_rewards.charts.reading import plain

WRONG = 0.5
"""The part of letters to be changed above which two texts have nothing in common."""
_NUMBER = re.compile(r"([-+]?)([$€£]?)(\d[\d,]*\.?\d*|\.\d+)([kKMGBT%]?)")
_SUFFIX = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12, "%": 0.01}


def text_f1(reference: Sequence[str], candidate: Sequence[str]) -> float:
    """Weighted F1 in [0, 1]; two charts without any text agree."""
    true, read = _normal(reference), _normal(candidate)
    if not true or not read:
        return float(not true and not read)
    alike = _similarities(true, read)
    rows, columns = linear_sum_assignment(alike, maximize=True)
    credit = alike[rows, columns]
    recall, precision = (
        float((credit * words[paired]).sum() / words.sum())
        for words, paired in ((_words(true), rows), (_words(read), columns))
    )
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


def _normal(texts: Sequence[str]) -> list[str]:
    """Compatibility forms, one sort of minus and of space, no case; texts without ink are gone."""
    folded = (plain(text).replace("−", "-") for text in texts)
    return [text for text in folded if text]


def _words(texts: list[str]) -> npt.NDArray[np.float64]:
    return np.array([float(len(text.split())) for text in texts])


def _similarities(reference: list[str], candidate: list[str]) -> npt.NDArray[np.float64]:
    distance = cdist(
        [text.casefold() for text in reference],
        [text.casefold() for text in candidate],
        scorer=Levenshtein.normalized_distance,
        score_cutoff=WRONG,
        dtype=np.float64,
    )
    alike = 1 - distance
    true = np.array([_number(text) for text in reference])[:, None]
    read = np.array([_number(text) for text in candidate])[None]
    either = np.isfinite(true) | np.isfinite(read)
    equal = np.isclose(true, read, rtol=1e-9, atol=0.0)
    scored: npt.NDArray[np.float64] = np.where(either, equal.astype(float), alike)
    return scored


def _number(text: str) -> float:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return float("nan")
    sign, _, digits, suffix = match.groups()
    value = float(digits.replace(",", "")) * _SUFFIX[suffix]
    return -value if sign == "-" else value
