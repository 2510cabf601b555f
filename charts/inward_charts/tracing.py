"""A policy without a model that looks at the picture: it traces coloured shapes, pixel by pixel.

It knows no letters and no numbers, so that its charts have neither axes nor a table that means
anything: a floor for likeness alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Mask = npt.NDArray[np.bool_]
Rows = list[dict[str, Any]]

VIVID = 40
"""Steps of 255 between the channels of a colour that is not a grey."""
NEAR = 30
"""Steps of 255 within which two pixels have one colour."""
MOST_COLORS = 8
MOST_ROWS = 900
LONG = 0.25
"""Share of a side from which a straight dark run is an axis or a frame."""
DOT = 14
"""Pixels up to which a shape is a point."""
SOLID = 0.85
"""Share of its box from which a shape is a rectangle."""
DENSE = 0.35
"""Share of its box from which a shape is an area, and not a line."""


@dataclass(frozen=True)
class _Shape:
    mask: Mask
    """Within its box."""
    left: int
    top: int

    @property
    def height(self) -> int:
        return int(self.mask.shape[0])

    @property
    def width(self) -> int:
        return int(self.mask.shape[1])

    @property
    def filled(self) -> float:
        return float(self.mask.mean())


def traced(png: bytes) -> dict[str, Any]:
    """A Vega-Lite specification, in pixels, of the coloured shapes and long lines of a picture."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.int16)
    height, width = pixels.shape[:2]
    rows: dict[str, Rows] = {"rect": [], "area": [], "line": [], "point": []}
    for color in _colors(pixels):
        mask = np.abs(pixels - np.array(color)).max(axis=2) <= NEAR
        for number, shape in enumerate(_shapes(mask)):
            kind, found = _trace(shape)
            name = f"#{color[0]:02x}{color[1]:02x}{color[2]:02x}"
            rows[kind] += [{**row, "c": name, "s": f"{name} {number}"} for row in found]
    return {
        "width": width,
        "height": height,
        "padding": 0,
        "autosize": "none",
        "background": _hex(_page(pixels)),
        "config": {"view": {"stroke": None}},
        "layer": [
            _layer("rule", _rules(pixels), width, height),
            *(_layer(kind, found[:MOST_ROWS // 4], width, height) for kind, found in rows.items()),
        ],
    }  # fmt: skip


def _page(pixels: npt.NDArray[np.int16]) -> tuple[int, int, int]:
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = np.median(border, axis=0).astype(int).tolist()
    return red, green, blue


def _colors(pixels: npt.NDArray[np.int16]) -> Iterator[tuple[int, int, int]]:
    """The vivid colours of the picture, the most frequent first, unlike each other."""
    vivid = pixels[(pixels.max(axis=2) - pixels.min(axis=2)) > VIVID]
    found, counts = np.unique(vivid, axis=0, return_counts=True)
    taken: list[npt.NDArray[np.int16]] = []
    for index in np.argsort(-counts, kind="stable"):
        if counts[index] < 20 or len(taken) == MOST_COLORS:
            return
        if all(np.abs(found[index] - other).max() > NEAR for other in taken):
            taken.append(found[index])
            red, green, blue = found[index].tolist()
            yield red, green, blue


def _shapes(mask: Mask) -> Iterator[_Shape]:
    from scipy.ndimage import find_objects, label

    labels, _ = label(mask, structure=np.ones((3, 3)))
    for number, box in enumerate(find_objects(labels), 1):
        shape = _Shape(labels[box] == number, box[1].start, box[0].start)
        if shape.mask.sum() >= 6:
            yield shape


def _trace(shape: _Shape) -> tuple[str, Rows]:
    if max(shape.width, shape.height) <= DOT:
        size = int(shape.mask.sum())
        x, y = shape.left + shape.width / 2, shape.top + shape.height / 2
        return "point", [{"x": x, "y": y, "size": size}]
    if shape.filled >= SOLID:
        return "rect", [
            {
                "x": shape.left,
                "x2": shape.left + shape.width,
                "y": shape.top,
                "y2": shape.top + shape.height,
            }
        ]
    columns = range(0, shape.width, max(1, shape.width // 40))
    runs = [(column, np.flatnonzero(shape.mask[:, column])) for column in columns]
    if shape.filled >= DENSE:
        return "area", [
            {
                "x": shape.left + column,
                "y": int(shape.top + run[0]),
                "y2": int(shape.top + run[-1] + 1),
            }
            for column, run in runs
        ]
    return "line", [
        {"x": shape.left + column, "y": float(shape.top + run.mean())} for column, run in runs
    ]


def _rules(pixels: npt.NDArray[np.int16]) -> Rows:
    """Straight grey lines, one pixel wide, that span a good part of the picture."""
    grey = (pixels.max(axis=2) - pixels.min(axis=2)) <= VIVID
    dark = grey & (np.abs(pixels - np.array(_page(pixels))).max(axis=2) > 2 * NEAR)
    rows: Rows = []
    for y in np.flatnonzero(dark.mean(axis=1) >= LONG):
        run = np.flatnonzero(dark[y])
        rows.append({"x": int(run[0]), "x2": int(run[-1]), "y": int(y), "y2": int(y)})
    for x in np.flatnonzero(dark.mean(axis=0) >= LONG):
        run = np.flatnonzero(dark[:, x])
        rows.append({"x": int(x), "x2": int(x), "y": int(run[0]), "y2": int(run[-1])})
    return [{**row, "c": "#888888", "s": ""} for row in rows[:40]]


def _layer(kind: str, rows: Rows, width: int, height: int) -> dict[str, Any]:
    def place(field: str, most: int, *, down: bool) -> dict[str, Any]:
        domain = [most, 0] if down else [0, most]
        scale = {"domain": domain, "nice": False, "zero": False}
        return {"field": field, "type": "quantitative", "scale": scale, "axis": None}

    encoding: dict[str, Any] = {
        "x": place("x", width, down=False),
        "y": place("y", height, down=True),
        "color": {"field": "c", "type": "nominal", "scale": None},
    }
    if kind in ("rect", "rule"):
        encoding["x2"] = {"field": "x2"}
    if kind in ("rect", "rule", "area"):
        encoding["y2"] = {"field": "y2"}
    if kind in ("line", "area"):
        encoding["detail"] = {"field": "s"}
    if kind == "point":
        encoding["size"] = {"field": "size", "type": "quantitative", "scale": None}
    mark = {"type": kind, "opacity": 1}
    if kind == "point":
        mark["filled"] = True
    return {"data": {"values": rows}, "mark": mark, "encoding": encoding}


def _hex(color: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in color)
