"""How alike two pictures of charts are, without learned weights: numpy, scipy and Pillow only.

Four parts, each in [0, 1], are multiplied with exponents that sum to 1:

- edges: soft Dice of edge energy in six orientations, pooled over 2, 4 and 8 pixels;
- layout: soft Dice of where the ink lies, pooled over 4 and 8 pixels;
- ink: agreement of colours (CIE Lab) wherever either picture has ink;
- palette: Bhattacharyya coefficient of the histograms of inked colours.

Ink is what differs from the background, and it is of two sorts. Data ink is coloured or solid, as
marks are; the rest is thin and grey, as letters and axis lines are. Edges and layout compare each
sort with its own kind and give the data's the greater share: five dots in a frame full of words are
still five dots. Before the parts are taken, the candidate is moved and stretched onto the reference
(an axis-aligned box found by coordinate descent), at a price that grows with the distance: another
renderer's margins differ.

The surprise: a page without ink has nothing in common with any chart, so a blank page scores about
0, where SSIM and its kin give it more than half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inward_rewards.charts.measures.features import (
    DATA,
    DATA_EDGES,
    FAINT,
    LAB,
    REST,
    REST_EDGES,
    TURNS,
    Array,
    Features,
    Picture,
    Reference,
    features_of,
    rgb,
)
from inward_rewards.charts.measures.registration import WHOLE, Box, halved, pooled, registered

WEIGHTS = {"edges": 0.45, "layout": 0.20, "ink": 0.25, "palette": 0.10}
DATA_SHARE = 0.75
"""Share of data ink in edges and layout; the rest has what is left."""
LEAST_MASS = 0.0003
"""Data ink, as a part of the page, at which its share is half: a chart may be all thin and grey."""
COLOUR_SCALE = 40.0
"""Lab distance at which the agreement of two colours has fallen to 1/e."""
PRICE = 0.2
"""A box moved by d multiplies the score by exp(-PRICE * d)."""
_FLOOR = 1e-3


@dataclass(frozen=True)
class Similarity:
    """The score and what it is made of, all in [0, 1]."""

    score: float
    edges: float
    layout: float
    ink: float
    palette: float
    box: Box
    """Where the candidate was laid on the reference: left, top, right, bottom in parts of it."""


def chart_similarity(reference: Picture | Reference, candidate: Picture) -> Similarity:
    """The similarity of `candidate` to `reference`; either may have any size and mode.

    Not symmetric: the candidate is resized to the reference's shape. Raises `ValueError` for an
    array that is not (height, width, 3) of uint8.
    """
    known = reference if isinstance(reference, Reference) else Reference.of(reference)
    return _compare(known, features_of(rgb(candidate), known.size))


def _compare(reference: Reference, candidate: Features) -> Similarity:
    plain = _score(reference, candidate, WHOLE)
    box = registered(_outline(reference.maps), _outline(candidate.maps), _fit)
    if box == WHOLE:
        return plain
    moved = _score(reference, candidate, box)
    return moved if moved.score > plain.score else plain


def _score(reference: Reference, candidate: Features, box: Box) -> Similarity:
    reference_maps = reference.maps
    candidate_maps = candidate.maps if box == WHOLE else pooled(candidate.full, box)
    mass = max(float(reference_maps[DATA].mean()), float(candidate_maps[DATA].mean()))
    share = DATA_SHARE * mass / (mass + LEAST_MASS)
    shift = (reference.background - candidate.background)[:, None, None]
    edges, layout, ink = [], [], []
    for scale in (2, 4, 8):
        if scale > 2:
            reference_maps, candidate_maps = halved(reference_maps), halved(candidate_maps)
            layout.append(_blend(share, reference_maps, candidate_maps, DATA, REST))
        edges.append(_blend(share, reference_maps, candidate_maps, DATA_EDGES, REST_EDGES))
        if scale < 8:
            ink.append(_colour_agreement(reference_maps, candidate_maps, shift))
    parts = {
        "edges": float(np.mean(edges)),
        "layout": float(np.mean(layout)),
        "ink": float(np.mean(ink)),
        "palette": _overlap(reference.histogram, candidate.histogram),
    }
    distance = max(abs(a - b) for a, b in zip(box, WHOLE, strict=True))
    logs = sum(WEIGHTS[name] * np.log(max(part, _FLOOR)) for name, part in parts.items())
    return Similarity(float(np.exp(logs - PRICE * distance)), **parts, box=box)


def _outline(maps: Array) -> Array:
    """Upright and level edges of both sorts, then the two sorts of ink."""
    edges = maps[DATA_EDGES] + maps[REST_EDGES]
    return np.concatenate([edges[[0, TURNS // 2]], maps[DATA : REST + 1]])


def _fit(target: Array, laid: Array) -> float:
    edges, data, rest = (_dice(target[k], laid[k]) for k in (slice(0, 2), 2, 3))
    return 0.6 * edges + 0.2 * data + 0.2 * rest


def _blend(
    share: float, reference: Array, candidate: Array, data: int | slice, rest: int | slice
) -> float:
    return share * _dice(reference[data], candidate[data]) + (1 - share) * _dice(
        reference[rest], candidate[rest]
    )


def _dice(a: Array, b: Array) -> float:
    total = float(a.sum() + b.sum())
    return 2 * float(np.minimum(a, b).sum()) / total if total > 0 else 1.0


def _overlap(a: Array, b: Array) -> float:
    """Bhattacharyya coefficient; two pages without ink have the same colours."""
    if not a.any() and not b.any():
        return 1.0
    return min(1.0, float(np.sqrt(a * b).sum()))


def _colour_agreement(reference: Array, candidate: Array, shift: Array) -> float:
    """`shift` is the difference of the two backgrounds, (3, 1, 1)."""
    union = np.maximum(
        reference[DATA] + FAINT * reference[REST],
        candidate[DATA] + FAINT * candidate[REST],
    )
    if not union.sum() > 0:
        return 1.0
    distance = np.sqrt(((reference[LAB] - candidate[LAB] + shift) ** 2).sum(0))
    return float((union * np.exp(-distance / COLOUR_SCALE)).sum() / union.sum())
