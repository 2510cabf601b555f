"""Who owns each pixel: which items of a chart can really be seen.

The chart's SVG is drawn again with every item in a colour of its own and no smoothing. What is
clipped, covered, transparent or off the canvas then owns no pixel, by the renderer's own rules. An
item that owns pixels must also look different from what is around or behind it in the real picture.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Ids = npt.NDArray[np.int64]

SVG = "{http://www.w3.org/2000/svg}"
NESTED = {"line", "area", "trail"}
"""Mark types whose items are the points of one path."""
CONTRAST = 16
"""Steps of 255, in the channel that differs most, below which two colours look alike."""
MIN_PIXELS = 4
MIN_OPACITY = 0.1
GLASS = 0.9
"""Below this opacity an item does not hide what is behind it."""
MIN_FONT_SIZE = 6
INK = 0.04
"""Least pixels a readable character owns, as a share of its font size squared."""

ET.register_namespace("", SVG[1:-1])


@dataclass(frozen=True)
class Element:
    """One drawn thing: a data mark's item, a path through many, or a text anywhere."""

    node: ET.Element
    mark: str
    """Name of its mark definition, for data marks."""
    items: list[dict[str, Any]]
    x: float
    y: float
    """What to add to the items' coordinates to get pixels."""
    cell: str
    """Description of the facet cell that holds it."""
    opacity: float
    data: bool
    """Belongs to a data mark; else it is a text of an axis, legend or title."""
    path: bool = False
    """`items` are the points of one path."""

    @property
    def text(self) -> str | None:
        if self.node.tag != f"{SVG}text":
            return None
        lines = [self.node.text, *(child.text for child in self.node)]
        return " ".join(" ".join(line for line in lines if line).split())


@dataclass(frozen=True)
class Painting:
    """Elements, numbered from 1, and the pixels that each one owns."""

    elements: list[Element]
    images: list[Ids]
    visible: npt.NDArray[np.bool_]
    """Indexed by number."""

    def owns(self, number: int, x: float, y: float, radius: int = 2) -> bool:
        """Whether the element owns a pixel within `radius` of a place."""
        left, top = max(0, round(x) - radius), max(0, round(y) - radius)
        right, bottom = round(x) + radius + 1, round(y) + radius + 1
        return any(
            bool((ids[top:bottom, left:right] == number).any())
            for ids in self.images
            if right > 0 and bottom > 0
        )


def elements(scenegraph: dict[str, Any], root: ET.Element, cells: set[str]) -> list[Element]:
    """The drawn things in painting order. `cells` names the groups that are facet cells."""
    x, y = scenegraph["origin"]
    frame = root.find(f"{SVG}g/{SVG}g")
    if frame is None:
        raise ValueError("the SVG has no frame")
    return list(_mark(scenegraph["scenegraph"], frame, x, y, "", cells))


def _order(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: item.get("zindex") or 0)


def _mark(
    mark: dict[str, Any], node: ET.Element, x: float, y: float, cell: str, cells: set[str]
) -> Iterator[Element]:
    items = _order(mark["items"])
    data = mark["role"] == "mark"
    name = mark.get("name", "")
    if mark["marktype"] == "group":
        for item, child in zip(items, node, strict=True):
            inner = child.find(f"{SVG}g")
            assert inner is not None
            here = item.get("description", "") if name in cells else cell
            for part, part_node in zip(_order(item["items"]), inner, strict=True):
                yield from _mark(
                    part, part_node, x + item.get("x", 0), y + item.get("y", 0), here, cells
                )
    elif mark["marktype"] in NESTED:
        if items:
            yield Element(node[0], name, items, x, y, cell, _opacity(node[0]), data, path=True)
    else:
        for item, child in zip(items, node, strict=True):
            if data or mark["marktype"] == "text":
                yield Element(child, name, [item], x, y, cell, _opacity(child), data)


def _opacity(node: ET.Element) -> float:
    whole = float(node.get("opacity", 1))
    return whole * max(_alpha(node, "fill"), _alpha(node, "stroke"))


def _alpha(node: ET.Element, paint: str) -> float:
    color = node.get(paint, "none")
    if color in ("none", "transparent") or (
        paint == "stroke" and float(node.get("stroke-width", 1)) == 0
    ):
        return 0.0
    alpha = float(node.get(f"{paint}-opacity", 1))
    if match := re.fullmatch(r"(?:rgba|hsla)\(.*[,/]\s*([\d.]+)\s*\)", color):
        return alpha * float(match[1])
    if match := re.fullmatch(
        r"#(?:[0-9a-fA-F]{6}([0-9a-fA-F]{2})|[0-9a-fA-F]{3}([0-9a-fA-F]))", color
    ):
        digits = match[1] or match[2]
        return alpha * int(digits, 16) / float(16 ** len(digits) - 1)
    return alpha


def paint(
    root: ET.Element,
    drawn: list[Element],
    picture: npt.NDArray[np.int16],
    rasterise: Callable[[str], bytes],
) -> Painting:
    """Finds what can be seen of each element. Spoils `root`.

    `picture` is the real chart (height, width, 3); `rasterise` draws an SVG string as a PNG.
    """
    numbers = {element.node: number for number, element in enumerate(drawn, 1)}
    glass = {
        element.node for element in drawn if MIN_OPACITY <= element.opacity < GLASS and element.data
    }
    hidden = {element.node for element in drawn if element.opacity < MIN_OPACITY}

    def draw() -> npt.NDArray[np.int64]:
        png = rasterise(ET.tostring(root, encoding="unicode"))
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.int64)

    for node in numbers:
        node.set("display", "none")
    empty = draw()
    root.set("shape-rendering", "crispEdges")
    root.set("text-rendering", "optimizeSpeed")
    for node in root.iter():
        _dye(node, numbers.get(node, 0))
    _show(numbers, set(numbers) - glass - hidden)
    solid = _numbers(draw())
    images = [solid]
    if glass:
        for node in root.iter():
            if node not in numbers:
                _dye(node, 0, color="none")
        _show(numbers, glass)
        for _ in ("as painted", "from the last to the first"):
            ids = _numbers(draw())
            images.append(np.where(ids > solid, ids, 0))
            for node in root.iter():
                node[:] = node[::-1]
    return Painting(drawn, images, _visible(drawn, images, picture, empty))


def _show(numbers: dict[ET.Element, int], shown: set[ET.Element]) -> None:
    for node in numbers:
        node.set("display", "inline" if node in shown else "none")


def _dye(node: ET.Element, number: int, color: str | None = None) -> None:
    for paint_ in ("fill", "stroke"):
        if _alpha(node, paint_) > 0:
            node.set(paint_, color or f"#{number:06x}")
    for attribute in ("opacity", "fill-opacity", "stroke-opacity", "stroke-dasharray"):
        node.attrib.pop(attribute, None)


def _numbers(rgb: npt.NDArray[np.int64]) -> Ids:
    ids: Ids = (rgb[..., 0] << 16) | (rgb[..., 1] << 8) | rgb[..., 2]
    return ids


def _visible(
    drawn: list[Element],
    images: list[Ids],
    picture: npt.NDArray[np.int16],
    empty: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    size = len(drawn) + 1
    is_text = np.array([False, *(element.text is not None for element in drawn)])
    least = np.array([MIN_PIXELS, *(_least_pixels(element) for element in drawn)])
    differs = np.abs(picture - empty).max(axis=2) >= CONTRAST
    visible = np.zeros(size, dtype=bool)
    for ids in images:
        owned = np.bincount(ids.ravel(), minlength=size)
        changed = np.bincount(ids.ravel(), weights=differs.ravel(), minlength=size)
        edges, contrasts, crowded = np.zeros((3, size))
        for first, second in (
            (np.s_[:, :-2], np.s_[:, 2:]),
            (np.s_[:-2], np.s_[2:]),
        ):
            a, b = ids[first], ids[second]
            edge = a != b
            contrast = np.abs(picture[first] - picture[second]).max(axis=2)[edge] >= CONTRAST
            for mine, other in ((a[edge], b[edge]), (b[edge], a[edge])):
                edges += np.bincount(mine, minlength=size)
                contrasts += np.bincount(mine, weights=contrast, minlength=size)
                crowded += np.bincount(mine, weights=is_text[other], minlength=size)
        seen = (changed >= 0.25 * owned) | (contrasts >= 0.3 * np.maximum(edges, 1))
        visible |= (owned >= least) & seen & ~(is_text & (crowded > 0.25 * edges))
    visible[0] = False
    return visible


def _least_pixels(element: Element) -> float:
    text = element.text
    if text is None:
        return MIN_PIXELS
    size = float(re.sub(r"px$", "", element.node.get("font-size", "0")))
    characters = len(text.replace(" ", ""))
    if size < MIN_FONT_SIZE or characters == 0:
        return float("inf")
    return max(MIN_PIXELS, INK * size**2 * characters)
