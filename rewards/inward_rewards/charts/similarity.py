"""How alike two pictures of charts are, without learned weights: numpy and Pillow only.

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
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Picture: TypeAlias = "Image.Image | npt.NDArray[np.uint8]"
Array: TypeAlias = "npt.NDArray[np.floating[Any]]"
Box: TypeAlias = tuple[float, float, float, float]

SIDE = 224
"""Pixels of the longer side at which pictures are compared; distances below are at this scale."""
WEIGHTS = {"edges": 0.45, "layout": 0.20, "ink": 0.25, "palette": 0.10}
DATA_SHARE = 0.75
"""Share of data ink in edges and layout; the rest has what is left."""
LEAST_MASS = 0.0003
"""Data ink, as a part of the page, at which its share is half: a chart may be all thin and grey."""
FAINT = 0.1
"""Weight of ink that is not data in the comparison of colours."""
INK_START, INK_DISTANCE = 8.0, 14.0
"""Lab distance from the background where ink begins, and how much more makes it full."""
CHROMA_START, CHROMA_DISTANCE = 14.0, 12.0
"""The same for distance from grey, and from the background's hue, that makes ink coloured."""
EDGE_START = 0.03
"""Gradient, in hundredths of Lab per pixel, that is taken for noise."""
COLOUR_SCALE = 40.0
"""Lab distance at which the agreement of two colours has fallen to 1/e."""
REACH = 0.2
"""How far, in parts of the page, a side of the box may be moved."""
PRICE = 0.2
"""A box moved by d multiplies the score by exp(-PRICE * d)."""
STEPS = (0.08, 0.04, 0.02, 0.01, 0.005)
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
_FLOOR = 1e-3
_TURNS = 6
_DATA_EDGES, _REST_EDGES = slice(0, _TURNS), slice(_TURNS, 2 * _TURNS)
_DATA, _REST, _LAB = 2 * _TURNS, 2 * _TURNS + 1, slice(2 * _TURNS + 2, 2 * _TURNS + 5)


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


def chart_similarity(reference: Picture, candidate: Picture) -> Similarity:
    """The similarity of `candidate` to `reference`; either may have any size and mode.

    Not symmetric: the candidate is resized to the reference's shape. Raises `ValueError` for an
    array that is not (height, width, 3) of uint8.
    """
    target = _rgb(reference)
    size = _canonical(target.size)
    return _compare(_Features.of(target, size), _Features.of(_rgb(candidate), size))


def _rgb(picture: Picture) -> Image.Image:
    """The picture in RGB, transparent parts on white."""
    if isinstance(picture, np.ndarray):
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise ValueError(
                "a picture must be a PIL image or a (height, width, 3) array of uint8, got "
                f"{picture.dtype} of shape {picture.shape}"
            )
        return Image.fromarray(picture)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        page = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(page, picture.convert("RGBA")).convert("RGB")
    return picture.convert("RGB")


def _canonical(size: tuple[int, int]) -> tuple[int, int]:
    """The size with its longer side at SIDE; multiples of 8, so that pooling divides it."""
    scale = SIDE / max(size)
    width, height = (max(32, 8 * round(side * scale / 8)) for side in size)
    return width, height


@dataclass(frozen=True)
class _Features:
    """What is compared of one picture."""

    full: Array
    """(17, height, width): data edges and other edges in six orientations each, data ink, other
    ink, and Lab less the background."""
    maps: Array
    """The same, pooled over 2 pixels."""
    background: Array
    histogram: Array

    @staticmethod
    def of(picture: Image.Image, size: tuple[int, int]) -> _Features:
        small = picture.width <= 2 * size[0]
        pixels = np.asarray(
            picture.resize(size, Image.Resampling.BICUBIC if small else Image.Resampling.BOX)
        )
        lab = _lab(pixels)
        background = _background(lab)
        offset = lab - background
        distance = _length(offset)
        ink = np.clip((distance - INK_START) / INK_DISTANCE, 0, 1)
        # Grey letters on a tinted page differ from it in hue, but are not coloured themselves.
        chroma = np.minimum(_length(lab[..., 1:]), _length(offset[..., 1:]))
        coloured = np.clip((chroma - CHROMA_START) / CHROMA_DISTANCE, 0, 1)
        solid = _spread(_spread(_shrink(_shrink(ink))))
        data = np.maximum(coloured, solid)
        edges = _oriented(lab)
        near = _spread(data)
        full = np.concatenate(
            [
                edges * near,
                edges * (1 - near),
                (ink * data)[None],
                (ink * (1 - data))[None],
                offset.transpose(2, 0, 1),
            ]
        ).astype(np.float32)
        weight = ink * (FAINT + (1 - FAINT) * data)
        return _Features(full, _pooled(full, WHOLE), background, _histogram(lab, weight))


def _compare(reference: _Features, candidate: _Features) -> Similarity:
    plain = _score(reference, candidate, WHOLE)
    box = _registered(reference, candidate)
    if box == WHOLE:
        return plain
    moved = _score(reference, candidate, box)
    return moved if moved.score > plain.score else plain


def _score(reference: _Features, candidate: _Features, box: Box) -> Similarity:
    mine = reference.maps
    other = candidate.maps if box == WHOLE else _pooled(candidate.full, box)
    mass = max(float(mine[_DATA].mean()), float(other[_DATA].mean()))
    share = DATA_SHARE * mass / (mass + LEAST_MASS)
    edges, layout, ink = [], [], []
    for scale in (2, 4, 8):
        if scale > 2:
            mine, other = _halved(mine), _halved(other)
            layout.append(_blend(share, mine, other, _DATA, _REST))
        edges.append(_blend(share, mine, other, _DATA_EDGES, _REST_EDGES))
        if scale < 8:
            ink.append(_colour_agreement(mine, other, reference.background, candidate.background))
    parts = {
        "edges": float(np.mean(edges)),
        "layout": float(np.mean(layout)),
        "ink": float(np.mean(ink)),
        "palette": _overlap(reference.histogram, candidate.histogram),
    }
    distance = max(abs(a - b) for a, b in zip(box, WHOLE, strict=True))
    logs = sum(WEIGHTS[name] * np.log(max(part, _FLOOR)) for name, part in parts.items())
    return Similarity(float(np.exp(logs - PRICE * distance)), **parts, box=box)


def _blend(share: float, mine: Array, other: Array, data: int | slice, rest: int | slice) -> float:
    return share * _dice(mine[data], other[data]) + (1 - share) * _dice(mine[rest], other[rest])


def _dice(a: Array, b: Array) -> float:
    total = float(a.sum() + b.sum())
    return 2 * float(np.minimum(a, b).sum()) / total if total > 0 else 1.0


def _overlap(a: Array, b: Array) -> float:
    """Bhattacharyya coefficient; two pages without ink have the same colours."""
    if not a.any() and not b.any():
        return 1.0
    return min(1.0, float(np.sqrt(a * b).sum()))


def _colour_agreement(mine: Array, other: Array, ground: Array, other_ground: Array) -> float:
    union = np.maximum(mine[_DATA] + FAINT * mine[_REST], other[_DATA] + FAINT * other[_REST])
    if not union.sum() > 0:
        return 1.0
    shift = (ground - other_ground)[:, None, None]
    distance = np.sqrt(((mine[_LAB] - other[_LAB] + shift) ** 2).sum(0))
    return float((union * np.exp(-distance / COLOUR_SCALE)).sum() / union.sum())


def _lab(pixels: npt.NDArray[np.uint8]) -> Array:
    """CIE Lab (D65) of sRGB pixels."""
    red, green, blue = (_LINEAR[pixels[..., channel]] for channel in range(3))
    x, y, z = (_root(r * red + g * green + b * blue) for r, g, b in _TO_XYZ)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1).astype(np.float32)


def _root(part: Array) -> Array:
    return np.where(part > 0.008856, np.cbrt(part), 7.787 * part + 16 / 116)


_TO_XYZ = (
    (0.4124 / 0.9505, 0.3576 / 0.9505, 0.1805 / 0.9505),
    (0.2126, 0.7152, 0.0722),
    (0.0193 / 1.089, 0.1192 / 1.089, 0.9505 / 1.089),
)
"""Rows: X, Y and Z, each as a part of the white point's."""
_SRGB = np.arange(256) / 255
_LINEAR = np.where(_SRGB > 0.04045, ((_SRGB + 0.055) / 1.055) ** 2.4, _SRGB / 12.92).astype(
    np.float32
)


def _length(vectors: Array) -> Array:
    length: Array = np.sqrt((vectors**2).sum(2))
    return length


def _background(lab: Array) -> Array:
    """The commonest colour of the page's rim."""
    rim = np.concatenate(
        [part.reshape(-1, 3) for part in (lab[:3], lab[-3:], lab[:, :3], lab[:, -3:])]
    )
    cells = np.round(rim / 6).astype(np.int64) + 40
    codes = (cells[:, 0] * 100 + cells[:, 1]) * 100 + cells[:, 2]
    values, counts = np.unique(codes, return_counts=True)
    colour: Array = np.median(rim[codes == values[counts.argmax()]], axis=0).astype(np.float32)
    return colour


def _spread(mask: Array) -> Array:
    """Maximum over 3 x 3 pixels."""
    padded = np.pad(mask, 1, mode="edge")
    rows = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    return np.maximum(np.maximum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])


def _shrink(mask: Array) -> Array:
    """Minimum over 3 x 3 pixels: nothing thinner is left."""
    return -_spread(-mask)


def _oriented(lab: Array) -> Array:
    """Edge energy in six orientations, (6, height, width)."""
    scaled = lab / 100
    across = np.zeros_like(scaled)
    down = np.zeros_like(scaled)
    across[:, 1:-1] = scaled[:, 2:] - scaled[:, :-2]
    down[1:-1] = scaled[2:] - scaled[:-2]
    xx, yy, xy = (across**2).sum(2), (down**2).sum(2), (across * down).sum(2)
    strength = np.sqrt(xx + yy)
    # Doubled angles: an edge has a direction but no sense.
    norm = np.maximum(np.hypot(xx - yy, 2 * xy), 1e-9)
    cosine, sine = (xx - yy) / norm, 2 * xy / norm
    energy = np.sqrt(np.maximum(strength - EDGE_START, 0))
    turns = 2 * np.pi * np.arange(_TURNS) / _TURNS
    near = [np.maximum(cosine * np.cos(t) + sine * np.sin(t), 0) ** 2 for t in turns]
    oriented: Array = energy * np.stack(near)
    return oriented


def _histogram(lab: Array, weight: Array) -> Array:
    """Blurred histogram of inked colours over 6 x 8 x 8 cells of Lab; sums to 1, or 0 if bare."""
    cells = [
        np.clip(lab[..., 0] / 100 * 6, 0, 5).astype(np.int64),
        np.clip((lab[..., 1] + 90) / 180 * 8, 0, 7).astype(np.int64),
        np.clip((lab[..., 2] + 90) / 180 * 8, 0, 7).astype(np.int64),
    ]
    codes = (cells[0] * 8 + cells[1]) * 8 + cells[2]
    counts = np.bincount(codes.ravel(), weights=weight.ravel(), minlength=384).reshape(6, 8, 8)
    for axis in range(3):
        around = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        padded = np.moveaxis(np.pad(counts, around), axis, 0)
        counts = np.moveaxis(0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:], 0, axis)
    total = counts.sum()
    return (counts / total if total > 0 else counts).astype(np.float32)


@dataclass(frozen=True)
class _Taps:
    """A triangle filter that lays a line of pixels on part of a line of cells.

    Gathered, not multiplied as a matrix: small products are slower in a threaded BLAS, and many
    scorers at once would fight over its threads.
    """

    places: tuple[npt.NDArray[np.intp], ...]
    weights: tuple[Array, ...]

    def along_rows(self, maps: Array) -> Array:
        """(channels, rows, columns) to (channels, cells, columns)."""
        total = np.zeros((maps.shape[0], len(self.weights[0]), maps.shape[2]), np.float32)
        for place, weight in zip(self.places, self.weights, strict=True):
            total += maps[:, place] * weight[:, None]
        return total

    def along_columns(self, maps: Array) -> Array:
        """(channels, rows, columns) to (channels, rows, cells)."""
        total = np.zeros((*maps.shape[:2], len(self.weights[0])), np.float32)
        for place, weight in zip(self.places, self.weights, strict=True):
            total += maps[..., place] * weight
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


def _pooled(maps: Array, box: Box) -> Array:
    """The maps pooled over 2 pixels of the reference, after laying them on `box` of it."""
    _, height, width = maps.shape
    rows = _taps(height, height // 2, box[1], box[3]).along_rows(maps)
    return _taps(width, width // 2, box[0], box[2]).along_columns(rows)


def _halved(maps: Array) -> Array:
    return _pooled(maps, WHOLE)


def _registered(reference: _Features, candidate: _Features) -> Box:
    """The box on which the candidate's edges and ink fall best on the reference's.

    Coordinate descent; a move touches only one direction, so the other is resampled once.
    """
    target = _halved(_outline(reference.maps))
    source = _outline(candidate.maps)
    _, height, width = target.shape

    def columns(box: Box, maps: Array) -> Array:
        return _taps(2 * width, width, box[0], box[2]).along_columns(maps)

    def rows(box: Box, maps: Array) -> Array:
        return _taps(2 * height, height, box[1], box[3]).along_rows(maps)

    best = WHOLE
    score = _fit(target, rows(best, columns(best, source)))
    for step in STEPS:
        for _ in range(3):
            before = best
            for here, there in ((columns, rows), (rows, columns)):
                laid = there(best, source)
                for move in _MOVES[here is rows]:
                    box = _shifted(best, move, step)
                    if box is None:
                        continue
                    found = _fit(target, here(box, laid))
                    if found > score + 1e-4:
                        best, score = box, found
            if best == before:
                break
    return best


def _outline(maps: Array) -> Array:
    """Upright and level edges of both sorts, then the two sorts of ink."""
    edges = maps[_DATA_EDGES] + maps[_REST_EDGES]
    return np.concatenate([edges[[0, _TURNS // 2]], maps[_DATA : _REST + 1]])


def _fit(target: Array, laid: Array) -> float:
    edges, data, rest = (_dice(target[k], laid[k]) for k in (slice(0, 2), 2, 3))
    return 0.6 * edges + 0.2 * data + 0.2 * rest


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
