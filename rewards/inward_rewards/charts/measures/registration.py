"""Lays a candidate's maps on a box of the reference, and finds the box where they fit best.

Another renderer's margins differ, so the candidate may be moved and stretched: an axis-aligned box,
found by coordinate descent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = "npt.NDArray[np.floating[Any]]"
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom, in parts of the reference."""

REACH = 0.2
"""How far, in parts of the page, a side of the box may be moved."""
STEPS = (0.08, 0.04, 0.02, 0.01, 0.005)
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class _Taps:
    """A triangle filter that lays a line of pixels on part of a line of cells.

    Gathered, not multiplied as a matrix: small products are slower in a threaded BLAS, and many
    scorers at once would fight over its threads.
    """

    places: tuple[npt.NDArray[np.intp], ...]
    weights: tuple[Array, ...]

    def lay(self, maps: Array) -> Array:
        """(channels, pixels, others) to (channels, cells, others)."""
        total = np.zeros((maps.shape[0], len(self.weights[0]), maps.shape[2]), np.float32)
        for place, weight in zip(self.places, self.weights, strict=True):
            total += maps.take(place, axis=1) * weight[:, None]
        return total


@lru_cache(maxsize=2048)
def _taps(size: int, cells: int, low: float, high: float) -> _Taps:
    """Taps that lay [0, size] pixels on [low, high] of `cells` cells.

    The weights of a cell that the picture does not reach sum to less than 1: there is background.
    """
    width = max(size / (cells * (high - low)), 1.0)
    centres = ((np.arange(cells) + 0.5) / cells - low) / (high - low) * size - 0.5
    first = np.ceil(centres - width).astype(np.intp)
    places, weights = [], []
    for step in range(int(np.floor(2 * width)) + 1):
        place = first + step
        near = np.maximum(1 - np.abs(place - centres) / width, 0) / width
        near[(place < 0) | (place >= size)] = 0
        places.append(np.clip(place, 0, size - 1))
        weights.append(near.astype(np.float32))
    return _Taps(tuple(places), tuple(weights))


def _laid(maps: Array, axis: int, box: Box) -> Array:
    """Maps (channels, pixels, others) with the pixels of one axis laid on the box's sides.

    `axis` is 0 for pixels from left to right, 1 for those from top to bottom.
    """
    pixels = maps.shape[1]
    return _taps(pixels, pixels // 2, box[axis], box[axis + 2]).lay(maps)


def _turned(maps: Array) -> Array:
    """The other axis in front; gathering whole lines is faster than gathering parts of them."""
    return np.ascontiguousarray(maps.swapaxes(1, 2))


def pooled(maps: Array, box: Box) -> Array:
    """The maps pooled over 2 pixels of the reference, after laying them on `box` of it."""
    return _turned(_laid(_turned(_laid(maps, 1, box)), 0, box))


def halved(maps: Array) -> Array:
    """`pooled` with WHOLE: the taps of every cell are 1/8, 3/8, 3/8 and 1/8."""
    rows = maps[:, ::2] + maps[:, 1::2]
    rows *= 3
    rows[:, 1:] += maps[:, 1:-1:2]
    rows[:, :-1] += maps[:, 2::2]
    cells = rows[..., ::2] + rows[..., 1::2]
    cells *= 3
    cells[..., 1:] += rows[..., 1:-1:2]
    cells[..., :-1] += rows[..., 2::2]
    cells /= 64
    return cells


def registered(reference: Array, candidate: Array, fit: Callable[[Array, Array], float]) -> Box:
    """The box on which the candidate's maps fit the reference's best.

    Both are (channels, height, width), of one size; `fit` compares them pooled over 2 pixels.
    Coordinate descent; a move touches only one axis, so the other is laid once.
    """
    target, source = halved(reference), candidate
    targets, sources = (_turned(target), target), (_turned(source), source)
    best = WHOLE
    score = fit(target, pooled(source, best))
    for step in STEPS:
        for _ in range(3):
            before = best
            for axis, moves in enumerate(_MOVES):
                laid = _turned(_laid(sources[1 - axis], 1 - axis, best))
                for move in moves:
                    box = _shifted(best, move, step)
                    if box is None:
                        continue
                    found = fit(targets[axis], _laid(laid, axis, box))
                    if found > score + 1e-4:
                        best, score = box, found
            if best == before:
                break
    return best


_MOVES = (
    ((1, 0, 1, 0), (-1, 0, -1, 0), (1, 0, 0, 0), (-1, 0, 0, 0), (0, 0, 1, 0), (0, 0, -1, 0)),
    ((0, 1, 0, 1), (0, -1, 0, -1), (0, 1, 0, 0), (0, -1, 0, 0), (0, 0, 0, 1), (0, 0, 0, -1)),
)
"""Directions in which the box's sides are tried: across, then down."""


def _shifted(box: Box, move: tuple[int, int, int, int], step: float) -> Box | None:
    sides = [round(side + step * part, 4) for side, part in zip(box, move, strict=True)]
    if any(abs(side - start) > REACH for side, start in zip(sides, WHOLE, strict=True)):
        return None
    return sides[0], sides[1], sides[2], sides[3]
