"""What is compared of a picture: edges, ink and colours, as maps and a histogram.

Ink is what differs from the background, and it is of two sorts. Data ink is coloured or solid, as
marks are; the rest is thin and grey, as letters and axis lines are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter

from inward_rewards.charts.measures.registration import halved
from inward_rewards.charts.page import on_white

Picture: TypeAlias = "Image.Image | npt.NDArray[np.uint8]"
Array: TypeAlias = "npt.NDArray[np.floating[Any]]"

SIDE = 224
"""Pixels of the longer side at which pictures are compared; distances below are at this scale."""
FAINT = 0.1
"""Weight of ink that is not data in the comparison of colours."""
INK_START, INK_DISTANCE = 8.0, 14.0
"""Lab distance from the background where ink begins, and how much more makes it full."""
CHROMA_START, CHROMA_DISTANCE = 14.0, 12.0
"""The same for distance from grey, and from the background's hue, that makes ink coloured."""
EDGE_START = 0.03
"""Gradient, in hundredths of Lab per pixel, that is taken for noise."""
TURNS = 6
"""Orientations of edges."""
DATA_EDGES, REST_EDGES = slice(0, TURNS), slice(TURNS, 2 * TURNS)
DATA, REST, LAB = 2 * TURNS, 2 * TURNS + 1, slice(2 * TURNS + 2, 2 * TURNS + 5)
"""Places of the maps in their stack."""


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
        page = rgb(picture)
        one = features_of(page, _canonical(page.size))
        return Reference(one.size, one.maps, one.background, one.histogram)


def rgb(picture: Picture) -> Image.Image:
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
class Features(Reference):
    full: Array
    """The maps before they are pooled, (17, height, width)."""


def features_of(picture: Image.Image, size: tuple[int, int]) -> Features:
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
    solid = _thick(ink)
    data = np.maximum(coloured, solid)
    edges = _oriented(lab)
    near = maximum_filter(data, 3, mode="nearest")
    full = np.empty((2 * TURNS + 5, *ink.shape), np.float32)
    np.multiply(edges, near, out=full[DATA_EDGES])
    np.subtract(edges, full[DATA_EDGES], out=full[REST_EDGES])
    np.multiply(ink, data, out=full[DATA])
    np.subtract(ink, full[DATA], out=full[REST])
    full[LAB] = offset
    weight = ink * (FAINT + (1 - FAINT) * data)
    return Features(size, halved(full), background, _histogram(lab, weight), full)


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


def _thick(mask: Array) -> Array:
    """The mask opened by 5 x 5 pixels: nothing thinner is left."""
    opened: Array = maximum_filter(minimum_filter(mask, 5, mode="nearest"), 5, mode="nearest")
    return opened


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
    oriented = np.empty((TURNS, *energy.shape), np.float32)
    for turn in range(TURNS // 2):
        angle = 2 * np.pi * turn / TURNS
        along = (cosine * np.float32(np.cos(angle)) + sine * np.float32(np.sin(angle))) / norm
        # Half a turn on, the same with the other sign.
        for place, part in ((turn, along), (turn + TURNS // 2, -along)):
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
