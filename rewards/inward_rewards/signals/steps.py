"""How much each step of a reasoning tells a reader of the reference answer."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence

MAX_STEPS = 32
"""Neighbours of a longer reasoning are taken together: each step is read with all before it."""


def reasoning_steps(text: str) -> list[str]:
    """Its paragraphs; of a single one its lines, of a single line its sentences.

    Put together again they are the text. Where there are more than `MAX_STEPS`, neighbours are one
    step, as evenly as it goes. A blank text has none.
    """
    if not text.strip():
        return []
    pieces: list[str] = []
    for end in (r"\n\s*\n", r"\n", r"[.!?]\s"):
        pieces = _cut(text, end)
        if len(pieces) > 1:
            break
    if len(pieces) <= MAX_STEPS:
        return pieces
    bounds = [round(number * len(pieces) / MAX_STEPS) for number in range(MAX_STEPS + 1)]
    return ["".join(pieces[start:stop]) for start, stop in itertools.pairwise(bounds)]


def _cut(text: str, end: str) -> list[str]:
    """Behind each `end`; a piece without a word joins the one before it."""
    cuts = [0, *(found.end() for found in re.finditer(end, text)), len(text)]
    pieces: list[str] = []
    for start, stop in itertools.pairwise(cuts):
        piece = text[start:stop]
        if pieces and not (piece.strip() and pieces[-1].strip()):
            pieces[-1] += piece
        elif piece:
            pieces.append(piece)
    return pieces


def entropy_reductions(entropies: Sequence[float]) -> list[float]:
    """H(Y | X, Z_1..Z_k-1) - H(Y | X, Z_1..Z_k) for each step k, of the entropies without any step,
    with the first, … : [steps + 1] -> [steps], nats. Negative: the reader is less sure than before.

    Y is the reference answer, X the problem, Z_k the steps, and H the mean entropy of the answer's
    tokens under teacher forcing. Their sum is H(Y | X) - H(Y | X, Z).
    Source: Measuring Reasoning Utility in LLMs via Conditional Entropy Reduction (arXiv
    2508.20395).
    ValueError: no entropy, or one that is negative or not finite.
    """
    if not entropies:
        raise ValueError("no entropy: give one without any step, then one per step")
    for value in entropies:
        if not (math.isfinite(value) and value >= -1e-3):
            raise ValueError(f"an entropy is a finite number of at least 0, got {value!r}")
    return [before - after for before, after in itertools.pairwise(entropies)]
