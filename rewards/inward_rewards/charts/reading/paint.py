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
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt
from PIL import Image

from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.page import on_white
from inward_rewards.charts.reading.plan import SEPARATOR
from inward_rewards.charts.specification.limits import names

Ids = npt.NDArray[np.int64]
"""The number of each pixel's owner, (height, width); 0 for none."""
Pixels = npt.NDArray[np.int16]
"""(height, width, 3)."""

SVG = "{http://www.w3.org/2000/svg}"
GROUP, TEXT = f"{SVG}g", f"{SVG}text"
NESTED = {"line", "area", "trail"}
"""Mark types whose items are the points of one path."""
CONTRAST = 16
"""Steps of 255, in the channel that differs most, below which two colours look alike."""
MIN_PIXELS = 4
MIN_OPACITY = 0.1
GLASS = 0.9
"""Below this opacity an item does not hide what is behind it."""
MIN_FONT_SIZE = 6
MIN_LINE = 0.75
"""Least distance of two lines of one text, in font sizes."""
INK = 0.04
"""Least pixels a readable character owns, as a share of its font size squared."""

LEAVES = {f"{SVG}{tag}" for tag in ("path", "line", "text", "rect")}

KEPT = names(
    "d transform clip-path x y dx dy x1 y1 x2 y2 width height rx ry r cx cy stroke-width "
    "stroke-linecap stroke-linejoin stroke-miterlimit text-anchor dominant-baseline font-family "
    "font-size font-weight font-style letter-spacing direction"
)
"""SVG attributes that shape an element; the rest colours or describes it."""

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
        if self.node.tag != TEXT:
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
    """As Vega draws them: items of any zindex but 0 come last, by it."""
    return sorted(items, key=lambda item: (bool(item.get("zindex")), item.get("zindex") or 0))


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
            here = cell
            if name in cells:
                here = SEPARATOR.join(filter(None, (cell, item.get("description", ""))))
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
    whole = _number(node, "opacity")
    return whole * max(_alpha(node, "fill"), _alpha(node, "stroke"))


def _number(node: ET.Element, name: str) -> float:
    text = node.get(name, "1")
    try:
        return float(text)
    except ValueError as error:
        raise RenderError(f"{name} {text[:40]!r}: write it as a number") from error


def _alpha(node: ET.Element, paint: str) -> float:
    color = node.get(paint, "none")
    if color in ("none", "transparent") or (
        paint == "stroke" and _number(node, "stroke-width") == 0
    ):
        return 0.0
    alpha = _number(node, f"{paint}-opacity")
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
    picture: Pixels,
    rasterise: Callable[[str], bytes],
) -> Painting:
    """Finds what can be seen of each element.

    `picture` is the real chart (height, width, 3); `rasterise` draws an SVG string as a PNG.
    """
    numbers = {element.node: number for number, element in enumerate(drawn, 1)}
    furniture = len(drawn) + 1
    sheet = _Sheet(root, furniture)
    shown = [element for element in drawn if element.opacity >= MIN_OPACITY]
    glass = {e.node: numbers[e.node] for e in shown if e.data and e.opacity < GLASS}
    marks = {
        e.node: numbers[e.node]
        for e in shown
        if e.data and e.node not in glass and e.node.tag != TEXT
    }
    dyes = {node: numbers.get(node, furniture) for node in sheet.leaves}
    for element in drawn:
        if element.node in glass or element.opacity < MIN_OPACITY:
            del dyes[element.node]

    def owners(dyes: dict[ET.Element, int], *, backward: bool = False) -> Ids:
        with Image.open(io.BytesIO(rasterise(sheet.dyed(dyes, backward=backward)))) as image:
            rgba = np.asarray(image.convert("RGBA"))
        return (rgba.view(">u4")[..., 0] >> 8).astype(np.int64)

    empty = pixels(rasterise(sheet.empty()))
    eye = _Eye(drawn, picture, np.broadcast_to(empty, picture.shape))
    solid = owners(dyes)
    # Painted from the last to the first, and without backgrounds, which would then hide their view.
    below = owners(marks, backward=True) if marks else np.zeros_like(solid)
    looks = [eye.look(solid, below)]
    if glass:
        # Glass is hidden by what is solid and painted later, but not by other glass.
        hard = np.where(solid == furniture, 0, solid)
        for backward in (False, True):
            ids = owners(glass, backward=backward)
            looks.append(eye.look(np.where(ids > hard, ids, 0), hard))
    visible = np.any([seen for seen, _ in looks], axis=0)
    return Painting(drawn, [ids for _, ids in looks], visible)


class _Sheet:
    """Writes a chart's SVG again with a choice of its elements, each in a flat colour."""

    def __init__(self, root: ET.Element, furniture: int) -> None:
        self.root, self.furniture = root, furniture
        self.leaves = [node for node in root.iterfind(f"{SVG}g//") if node.tag in LEAVES]
        self.backgrounds = {node for node in self.leaves if node.get("class") == "background"}
        self.leaves = [node for node in self.leaves if node not in self.backgrounds]

    def empty(self) -> str:
        """The page and the views' backgrounds alone, as they are, but without their frames.

        One pixel, where no view has a background of its own.
        """
        colors = {node: (node.get("fill", "none"), "none") for node in self.backgrounds}
        pages = "".join(
            _write(page, page.get("fill", "none"), "none")
            for page in self.root.findall(f"{SVG}rect")
        )
        if all(_alpha(node, "fill") == 0 for node in self.backgrounds):
            return f'<svg xmlns="{SVG[1:-1]}" width="1" height="1">{pages}</svg>'
        return self._page(pages, colors, backward=False)

    def dyed(self, dyes: dict[ET.Element, int], *, backward: bool) -> str:
        """The elements with the numbers to dye them by; forward, on black backgrounds."""
        colors = {}
        for node, number in dyes.items():
            fill, stroke = (_dye(node, paint, number) for paint in ("fill", "stroke"))
            colors[node] = (fill, stroke)
        if not backward:
            framed = self.furniture in dyes.values()
            for node in self.backgrounds:
                stroke = _dye(node, "stroke", self.furniture) if framed else "none"
                colors[node] = (_dye(node, "fill", 0), stroke)
        return self._page("", colors, backward=backward)

    def _page(
        self, before: str, colors: dict[ET.Element, tuple[str, str]], *, backward: bool
    ) -> str:
        size = " ".join(f'{name}="{self.root.get(name)}"' for name in ("width", "height"))
        definitions = "".join(
            ET.tostring(node, encoding="unicode") for node in self.root.findall(f"{SVG}defs")
        )
        groups = "".join(
            self._group(node, colors, backward) for node in self.root.findall(f"{SVG}g")
        )
        return (
            f'<svg xmlns="{SVG[1:-1]}" {size} viewBox="{self.root.get("viewBox")}" '
            f'shape-rendering="crispEdges" text-rendering="optimizeSpeed">{definitions}{before}'
            f"{groups}</svg>"
        )

    def _group(
        self, group: ET.Element, colors: dict[ET.Element, tuple[str, str]], backward: bool
    ) -> str:
        children = []
        for child in group:
            if child.tag == GROUP:
                children.append(self._group(child, colors, backward))
            elif child in colors:
                children.append(_write(child, *colors[child]))
        if backward:
            children.reverse()
        inside = "".join(children)
        return f"<g{_attributes(group)}>{inside}</g>" if inside else ""


def _write(node: ET.Element, fill: str, stroke: str) -> str:
    if fill == stroke == "none":
        return ""
    inside = escape(node.text or "") + "".join(
        f"<tspan{_attributes(line)}>{escape(line.text or '')}</tspan>" for line in node
    )
    tag = node.tag.removeprefix(SVG)
    colors = f" fill={quoteattr(fill)} stroke={quoteattr(stroke)}"
    return f"<{tag}{_attributes(node)}{colors}>{inside}</{tag}>"


def _attributes(node: ET.Element) -> str:
    return "".join(
        f" {name}={quoteattr(node.attrib[name])}" for name in node.attrib if name in KEPT
    )


def _dye(node: ET.Element, paint: str, number: int) -> str:
    return f"#{number:06x}" if _alpha(node, paint) > 0 else "none"


def pixels(png: bytes) -> Pixels:
    """A picture's pixels, transparent ones on white."""
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(on_white(image)).astype(np.int16)


class _Eye:
    """Tells which owners of pixels stand out from what is around and behind them."""

    def __init__(self, drawn: list[Element], picture: Pixels, empty: Pixels) -> None:
        self.furniture = len(drawn) + 1
        """The number of axes, grids, frames and legends."""
        self.size = len(drawn) + 2
        self.picture = picture
        self.is_text = np.array([False, *(element.text is not None for element in drawn), False])
        self.least = np.array([0, *(_least_pixels(element) for element in drawn), 0])
        self.differs = _differ(picture, empty)

    def look(self, ids: Ids, below: Ids) -> tuple[npt.NDArray[np.bool_], Ids]:
        """By number, whether it is seen; and the owners again, only where they stand out.

        `below` has the owners that another order of painting shows at the same places.
        """
        owned = self._count(ids.ravel())
        stands_out = self.differs & ((below == ids) | (below == 0) | (below == self.furniture))
        changed = self._count(ids[stands_out])
        edges, contrasts, crowded = np.zeros((3, self.size))
        for step in ((0, 2), (2, 0)):
            first = np.nonzero(
                ids[step[0] :, step[1] :] != ids[: -step[0] or None, : -step[1] or None]
            )
            second = (first[0] + step[0], first[1] + step[1])
            a, b = ids[first], ids[second]
            contrast = _differ(self.picture[first], self.picture[second])
            # An axis line or a frame beside a mark is no merit of the mark.
            contrast &= (a != self.furniture) & (b != self.furniture)
            for mine, other, places in ((a, b, first), (b, a, second)):
                edges += self._count(mine)
                contrasts += self._count(mine[contrast])
                crowded += self._count(mine[self.is_text[other]])
                stands_out[places] |= contrast
        seen = contrasts >= 0.2 * np.maximum(edges, 1)
        seen |= ~self.is_text & (changed >= 0.25 * owned)
        seen &= (owned >= self.least) & ~(self.is_text & (crowded > 0.25 * edges))
        seen[[0, self.furniture]] = False
        return seen, np.where(stands_out, ids, 0)

    def _count(self, ids: Ids) -> npt.NDArray[np.int64]:
        return np.bincount(ids, minlength=self.size)


def _differ(one: Pixels, other: Pixels) -> npt.NDArray[np.bool_]:
    different: npt.NDArray[np.bool_] = np.abs(one - other).max(axis=-1) >= CONTRAST
    return different


def _least_pixels(element: Element) -> float:
    text = element.text
    if text is None:
        return MIN_PIXELS
    size = float(re.sub(r"px$", "", element.node.get("font-size", "0")))
    characters = len(text.replace(" ", ""))
    lines = [float(line.get("dy", 0)) for line in list(element.node)[1:]]
    if size < MIN_FONT_SIZE or characters == 0 or any(step < MIN_LINE * size for step in lines):
        return float("inf")
    return max(MIN_PIXELS, INK * size**2 * characters)
