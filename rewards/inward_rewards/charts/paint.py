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

LEAVES = {f"{SVG}{tag}" for tag in ("path", "line", "text", "rect")}

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

    leaves = [node for node in root.iterfind(f"{SVG}g//") if node.tag in LEAVES]
    backgrounds = {node for node in leaves if node.get("class") == "background"}
    frames = [(node, node.get("stroke", "none")) for node in backgrounds]
    for node, _ in frames:
        node.set("stroke", "none")
    _show(leaves, backgrounds)
    empty = draw()
    for node, stroke in frames:
        node.set("stroke", stroke)
    root.set("shape-rendering", "crispEdges")
    root.set("text-rendering", "optimizeSpeed")
    furniture = len(drawn) + 1
    for node in leaves:
        number = numbers.get(node, furniture)
        _dye(node, 0 if node in backgrounds else number, number)
    for page in root.findall(f"{SVG}rect"):
        root.remove(page)

    def draw_both_ways(shown: set[ET.Element]) -> tuple[Ids, Ids]:
        """Owners when painted in order, and when painted from the last to the first."""
        _show(leaves, shown | backgrounds)
        forward = _numbers(draw())
        # Painted last, a background would hide its own view.
        _show(leaves, shown)
        _reverse(root)
        backward = _numbers(draw())
        _reverse(root)
        return forward, backward

    solid, below = draw_both_ways(set(leaves) - backgrounds - glass - hidden)
    layers = [(solid, below)]
    if glass:
        forward, backward = draw_both_ways(glass)
        # Glass is hidden by what is solid and painted later, but not by other glass.
        marks = np.where(solid == furniture, 0, solid)
        forward, backward = (np.where(ids > marks, ids, 0) for ids in (forward, backward))
        layers += [(forward, marks), (backward, marks)]
    eye = _Eye(drawn, picture, empty)
    looks = [eye.look(ids, below) for ids, below in layers]
    visible = np.any([seen for seen, _ in looks], axis=0)
    return Painting(drawn, [ids for _, ids in looks], visible)


def _reverse(root: ET.Element) -> None:
    for node in root.iter():
        if node.tag == f"{SVG}g" or node is root:
            node[:] = node[::-1]


def _show(leaves: list[ET.Element], shown: set[ET.Element]) -> None:
    for node in leaves:
        node.set("display", "inline" if node in shown else "none")


def _dye(node: ET.Element, fill: int, stroke: int) -> None:
    for paint_, number in (("fill", fill), ("stroke", stroke)):
        if _alpha(node, paint_) > 0:
            node.set(paint_, f"#{number:06x}")
    for attribute in ("opacity", "fill-opacity", "stroke-opacity", "stroke-dasharray"):
        node.attrib.pop(attribute, None)


def _numbers(rgb: npt.NDArray[np.int64]) -> Ids:
    ids: Ids = (rgb[..., 0] << 16) | (rgb[..., 1] << 8) | rgb[..., 2]
    return ids


class _Eye:
    """Tells which owners of pixels stand out from what is around and behind them."""

    def __init__(
        self,
        drawn: list[Element],
        picture: npt.NDArray[np.int16],
        empty: npt.NDArray[np.int64],
    ) -> None:
        self.furniture = len(drawn) + 1
        """The number of axes, grids, frames and legends."""
        self.size = len(drawn) + 2
        self.picture = picture
        self.is_text = np.array([False, *(element.text is not None for element in drawn), False])
        self.least = np.array([0, *(_least_pixels(element) for element in drawn), 0])
        self.differs = np.abs(picture - empty).max(axis=2) >= CONTRAST

    def look(self, ids: Ids, below: Ids) -> tuple[npt.NDArray[np.bool_], Ids]:
        """By number, whether it is seen; and the owners again, only where they stand out.

        `below` has the owners that another order of painting shows at the same places.
        """
        owned = self._count(ids)
        alone = (below == ids) | (below == 0) | (below == self.furniture)
        changed = self._count(ids, self.differs & alone)
        stands_out = self.differs & alone
        edges, contrasts, crowded = np.zeros((3, self.size))
        for first, second in ((np.s_[:, :-2], np.s_[:, 2:]), (np.s_[:-2], np.s_[2:])):
            edge = ids[first] != ids[second]
            # An axis line or a frame beside a mark is no merit of the mark.
            contrast = edge & (ids[first] != self.furniture) & (ids[second] != self.furniture)
            contrast &= np.abs(self.picture[first] - self.picture[second]).max(axis=2) >= CONTRAST
            for mine, other in ((first, second), (second, first)):
                edges += self._count(ids[mine], edge)
                contrasts += self._count(ids[mine], contrast)
                crowded += self._count(ids[mine], edge & self.is_text[ids[other]])
                stands_out[mine] |= contrast
        seen = contrasts >= 0.2 * np.maximum(edges, 1)
        seen |= ~self.is_text & (changed >= 0.25 * owned)
        seen &= (owned >= self.least) & ~(self.is_text & (crowded > 0.25 * edges))
        seen[[0, self.furniture]] = False
        return seen, np.where(stands_out, ids, 0)

    def _count(
        self, ids: Ids, where: npt.NDArray[np.bool_] | None = None
    ) -> npt.NDArray[np.float64]:
        weights = None if where is None else where.ravel()
        return np.bincount(ids.ravel(), weights, minlength=self.size).astype(float)


def _least_pixels(element: Element) -> float:
    text = element.text
    if text is None:
        return MIN_PIXELS
    size = float(re.sub(r"px$", "", element.node.get("font-size", "0")))
    characters = len(text.replace(" ", ""))
    if size < MIN_FONT_SIZE or characters == 0:
        return float("inf")
    return max(MIN_PIXELS, INK * size**2 * characters)
