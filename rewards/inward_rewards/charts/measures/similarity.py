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

from inward_rewards.charts.page import on_white

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


@dataclass(frozen=True)
class Reference:
    """What is compared of a picture, worked out once for all that are compared with it."""

    size: tuple[int, int]
    """Width and height at which pictures are compared with it."""
    maps: Array
    """(17, height / 2, width / 2): data edges and other edges in six orientations each, data ink,
    other ink, and Lab less the background, pooled over 2 pixels."""
    background: Array
    histogram: Array

    @staticmethod
    def of(picture: Picture) -> Reference:
        """A picture of any size and mode.

        Raises `ValueError` for an array that is not (height, width, 3) of uint8.
        """
        page = _rgb(picture)
        one = _features(page, _canonical(page.size))
        return Reference(one.size, one.maps, one.background, one.histogram)


def chart_similarity(reference: Picture | Reference, candidate: Picture) -> Similarity:
    """The similarity of `candidate` to `reference`; either may have any size and mode.

    Not symmetric: the candidate is resized to the reference's shape. Raises `ValueError` for an
    array that is not (height, width, 3) of uint8.
    """
    known = reference if isinstance(reference, Reference) else Reference.of(reference)
    return _compare(known, _features(_rgb(candidate), known.size))


def _rgb(picture: Picture) -> Image.Image:
    """The picture in RGB, transparent parts on white."""
    if isinstance(picture, np.ndarray):
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise ValueError(
                "a picture must be a PIL image or a (height, width, 3) array of uint8, got "
                f"{picture.dtype} of shape {picture.shape}"
            )
        return Image.fromarray(picture)
    return on_white(picture)


def _canonical(size: tuple[int, int]) -> tuple[int, int]:
    """The size with its longer side at SIDE; multiples of 8, so that pooling divides it."""
    scale = SIDE / max(size)
    width, height = (max(32, 8 * round(side * scale / 8)) for side in size)
    return width, height


@dataclass(frozen=True)
class _Features(Reference):
    full: Array
    """The maps before they are pooled, (17, height, width)."""


def _features(picture: Image.Image, size: tuple[int, int]) -> _Features:
    small = picture.width <= 2 * size[0]
    pixels = np.asarray(
        picture.resize(size, Image.Resampling.BICUBIC if small else Image.Resampling.BOX)
    )
    lab = _lab(pixels)
    background = _background(lab)
    offset = lab - background[:, None, None]
    distance = _length(offset)
    ink = np.clip((distance - INK_START) / INK_DISTANCE, 0, 1)
    # Grey letters on a tinted page differ from it in hue, but are not coloured themselves.
    chroma = np.minimum(_length(lab[1:]), _length(offset[1:]))
    coloured = np.clip((chroma - CHROMA_START) / CHROMA_DISTANCE, 0, 1)
    solid = _spread(_spread(_shrink(_shrink(ink))))
    data = np.maximum(coloured, solid)
    edges = _oriented(lab)
    near = _spread(data)
    full = np.empty((2 * _TURNS + 5, *ink.shape), np.float32)
    np.multiply(edges, near, out=full[_DATA_EDGES])
    np.subtract(edges, full[_DATA_EDGES], out=full[_REST_EDGES])
    np.multiply(ink, data, out=full[_DATA])
    np.subtract(ink, full[_DATA], out=full[_REST])
    full[_LAB] = offset
    weight = ink * (FAINT + (1 - FAINT) * data)
    return _Features(size, _halved(full), background, _histogram(lab, weight), full)


def _compare(reference: Reference, candidate: _Features) -> Similarity:
    plain = _score(reference, candidate, WHOLE)
    box = _registered(reference, candidate)
    if box == WHOLE:
        return plain
    moved = _score(reference, candidate, box)
    return moved if moved.score > plain.score else plain


def _score(reference: Reference, candidate: _Features, box: Box) -> Similarity:
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
    """CIE Lab (D65) of sRGB pixels (height, width, 3), as (3, height, width)."""
    red, green, blue = (_LINEAR[pixels[..., channel]] for channel in range(3))
    x, y, z = (_root(r * red + g * green + b * blue) for r, g, b in _TO_XYZ)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _root(part: Array) -> Array:
    # numpy's float32 exp and log are vectorised, its cbrt is not.
    cube_root = np.exp(np.log(np.maximum(part, _DARK)) * np.float32(1 / 3))
    return np.where(part > _DARK, cube_root, 7.787 * part + 16 / 116)


_TO_XYZ = (
    (0.4124 / 0.9505, 0.3576 / 0.9505, 0.1805 / 0.9505),
    (0.2126, 0.7152, 0.0722),
    (0.0193 / 1.089, 0.1192 / 1.089, 0.9505 / 1.089),
)
"""Rows: X, Y and Z, each as a part of the white point's."""
_DARK = np.float32(0.008856)
_SRGB = np.arange(256) / 255
_LINEAR = np.where(_SRGB > 0.04045, ((_SRGB + 0.055) / 1.055) ** 2.4, _SRGB / 12.92).astype(
    np.float32
)


def _length(vectors: Array) -> Array:
    length: Array = np.sqrt((vectors**2).sum(0))
    return length


def _background(lab: Array) -> Array:
    """The commonest colour of the page's rim."""
    rim = np.concatenate(
        [part.reshape(3, -1) for part in (lab[:, :3], lab[:, -3:], lab[..., :3], lab[..., -3:])],
        axis=1,
    ).T
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
    across[..., 1:-1] = scaled[..., 2:] - scaled[..., :-2]
    down[:, 1:-1] = scaled[:, 2:] - scaled[:, :-2]
    xx, yy, xy = (across**2).sum(0), (down**2).sum(0), (across * down).sum(0)
    strength = np.sqrt(xx + yy)
    # Doubled angles: an edge has a direction but no sense.
    cosine, sine = xx - yy, 2 * xy
    norm = np.maximum(np.sqrt(cosine**2 + sine**2), 1e-9)
    energy = np.sqrt(np.maximum(strength - EDGE_START, 0))
    oriented = np.empty((_TURNS, *energy.shape), np.float32)
    for turn in range(_TURNS // 2):
        angle = 2 * np.pi * turn / _TURNS
        along = (cosine * np.float32(np.cos(angle)) + sine * np.float32(np.sin(angle))) / norm
        # Half a turn on, the same with the other sign.
        for place, part in ((turn, along), (turn + _TURNS // 2, -along)):
            np.multiply(energy, np.maximum(part, 0) ** 2, out=oriented[place])
    return oriented


def _histogram(lab: Array, weight: Array) -> Array:
    """Blurred histogram of inked colours over 6 x 9 x 9 cells of Lab; sums to 1, or 0 if bare.

    A colour is shared among the cells around it by its distance from their middles: counted whole
    in one cell, it would jump to the next at the least tint, or by rounding.
    """
    inked = weight > 0
    weights, colours = weight[inked], lab[:, inked]
    places = np.clip(colours * _CELL[:, None] + _FIRST[:, None], 0, _LAST[:, None])
    lower = np.minimum(places, _LAST[:, None] - 1).astype(np.int64)
    light, green_red, blue_yellow = lower
    codes = (light * 9 + green_red) * 9 + blue_yellow
    corners = [(0, weights)]
    for stride, upper in zip((81, 9, 1), (places - lower).astype(np.float32), strict=True):
        corners = [(code, part * (1 - upper)) for code, part in corners] + [
            (code + stride, part * upper) for code, part in corners
        ]
    counts = sum(np.bincount(codes + code, part, 6 * 9 * 9) for code, part in corners)
    grid: Array = np.reshape(counts, (6, 9, 9))
    for axis in range(3):
        around = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        padded = np.moveaxis(np.pad(grid, around), axis, 0)
        grid = np.moveaxis(0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:], 0, axis)
    total = grid.sum()
    return (grid / total if total > 0 else grid).astype(np.float32)


_CELL = np.array([6 / 100, 8 / 180, 8 / 180], np.float32)
"""Cells of the histogram for each unit of L, a and b."""
_FIRST = np.array([-0.5, 4, 4], np.float32)
"""Where L, a, b = 0 falls among the cells' middles."""
_LAST = np.array([5, 8, 8], np.float32)


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


def _pooled(maps: Array, box: Box) -> Array:
    """The maps pooled over 2 pixels of the reference, after laying them on `box` of it."""
    return _turned(_laid(_turned(_laid(maps, 1, box)), 0, box))


def _halved(maps: Array) -> Array:
    """`_pooled` with WHOLE: the taps of every cell are 1/8, 3/8, 3/8 and 1/8."""
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


def _registered(reference: Reference, candidate: _Features) -> Box:
    """The box on which the candidate's edges and ink fall best on the reference's.

    Coordinate descent; a move touches only one axis, so the other is laid once.
    """
    target, source = _halved(_outline(reference.maps)), _outline(candidate.maps)
    targets, sources = (_turned(target), target), (_turned(source), source)
    best = WHOLE
    score = _fit(target, _pooled(source, best))
    for step in STEPS:
        for _ in range(3):
            before = best
            for axis, moves in enumerate(_MOVES):
                laid = _turned(_laid(sources[1 - axis], 1 - axis, best))
                for move in moves:
                    box = _shifted(best, move, step)
                    if box is None:
                        continue
                    found = _fit(targets[axis], _laid(laid, axis, box))
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
