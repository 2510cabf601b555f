"""Which items of a chart can really be seen.

The chart's SVG is drawn again with every item in a colour of its own and no smoothing. What is
clipped, covered, transparent or off the canvas then owns no pixel, by the renderer's own rules. An
item that owns pixels must also look different from what is around or behind it in the real picture.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt
from PIL import Image

from inward_rewards.charts.page import on_white
from inward_rewards.charts.reading.svg import GROUP, LEAVES, SVG, TEXT, Element, alpha

Ids = npt.NDArray[np.int64]
"""The number of each pixel's owner, (height, width); 0 for none."""
Pixels = npt.NDArray[np.int16]
"""(height, width, 3)."""

CONTRAST = 16
"""Steps of 255, in the channel that differs most, below which two colours look alike."""
CLEAR_CONTRAST = 48
"""The same for a strict reading: what a hurried eye tells apart."""
MIN_PIXELS = 4
MIN_OPACITY = 0.1
TRANSLUCENT = 0.9
"""Below this opacity an item does not hide what is behind it."""
MIN_FONT_SIZE = 6
CLEAR_FONT_SIZE = 9
MIN_LINE = 0.75
"""Least distance of two lines of one text, in font sizes."""
INK = 0.04
"""Least pixels a readable character owns, as a share of its font size squared."""

KEPT = frozenset(
    (
        "d transform clip-path x y dx dy x1 y1 x2 y2 width height rx ry r cx cy stroke-width "
        "stroke-linecap stroke-linejoin stroke-miterlimit text-anchor dominant-baseline "
        "font-family font-size font-weight font-style letter-spacing direction"
    ).split()
)
"""SVG attributes that shape an element; the rest colours or describes it."""

ET.register_namespace("", SVG[1:-1])


@dataclass(frozen=True)
class Visibility:
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


def find_visible(
    root: ET.Element,
    drawn: list[Element],
    picture: Pixels,
    rasterise: Callable[[str], bytes],
    *,
    strict: bool = False,
) -> Visibility:
    """Finds what can be seen of each element; `strict`: what can be seen well.

    `picture` is the real chart (height, width, 3); `rasterise` draws an SVG string as a PNG.
    """
    numbers = {element.node: number for number, element in enumerate(drawn, 1)}
    guides = len(drawn) + 1
    canvas = _Canvas(root, guides)
    shown = [element for element in drawn if element.opacity >= MIN_OPACITY]
    translucent = {e.node: numbers[e.node] for e in shown if e.data and e.opacity < TRANSLUCENT}
    marks = {
        e.node: numbers[e.node]
        for e in shown
        if e.data and e.node not in translucent and e.node.tag != TEXT
    }
    to_paint = {node: numbers.get(node, guides) for node in canvas.leaves}
    for element in drawn:
        if element.node in translucent or element.opacity < MIN_OPACITY:
            del to_paint[element.node]

    def owners(to_paint: dict[ET.Element, int], *, backward: bool = False) -> Ids:
        with Image.open(
            io.BytesIO(rasterise(canvas.painted(to_paint, backward=backward)))
        ) as image:
            rgba = np.asarray(image.convert("RGBA"))
        return (rgba.view(">u4")[..., 0] >> 8).astype(np.int64)

    empty = pixels(rasterise(canvas.empty()))
    contrast = _Contrast(drawn, picture, np.broadcast_to(empty, picture.shape), strict=strict)
    solid = owners(to_paint)
    # Painted from the last to the first, and without backgrounds, which would then hide their view.
    below = owners(marks, backward=True) if marks else np.zeros_like(solid)
    views = [contrast.look(solid, below)]
    if translucent:
        # What is solid and painted later hides what is translucent, but not by more of its kind.
        opaque = np.where(solid == guides, 0, solid)
        for backward in (False, True):
            ids = owners(translucent, backward=backward)
            views.append(contrast.look(np.where(ids > opaque, ids, 0), opaque))
    visible = np.any([seen for seen, _ in views], axis=0)
    return Visibility(drawn, [ids for _, ids in views], visible)


class _Canvas:
    """Writes a chart's SVG again with a choice of its elements, each in a flat colour."""

    def __init__(self, root: ET.Element, guides: int) -> None:
        self.root, self.guides = root, guides
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
        if all(alpha(node, "fill") == 0 for node in self.backgrounds):
            return f'<svg xmlns="{SVG[1:-1]}" width="1" height="1">{pages}</svg>'
        return self._page(pages, colors, backward=False)

    def painted(self, to_paint: dict[ET.Element, int], *, backward: bool) -> str:
        """The elements with the numbers to paint them in; forward, on black backgrounds."""
        colors = {}
        for node, number in to_paint.items():
            fill, stroke = (_flat(node, attribute, number) for attribute in ("fill", "stroke"))
            colors[node] = (fill, stroke)
        if not backward:
            framed = self.guides in to_paint.values()
            for node in self.backgrounds:
                stroke = _flat(node, "stroke", self.guides) if framed else "none"
                colors[node] = (_flat(node, "fill", 0), stroke)
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


def _flat(node: ET.Element, attribute: str, number: int) -> str:
    return f"#{number:06x}" if alpha(node, attribute) > 0 else "none"


def pixels(png: bytes) -> Pixels:
    """A picture's pixels, transparent ones on white."""
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(on_white(image)).astype(np.int16)


class _Contrast:
    """Tells which owners of pixels stand out from what is around and behind them."""

    def __init__(
        self, drawn: list[Element], picture: Pixels, empty: Pixels, *, strict: bool
    ) -> None:
        self.contrast = CLEAR_CONTRAST if strict else CONTRAST
        font_size = CLEAR_FONT_SIZE if strict else MIN_FONT_SIZE
        self.guides = len(drawn) + 1
        """The number of axes, grids, frames and legends."""
        self.size = len(drawn) + 2
        self.picture = picture
        self.is_text = np.array([False, *(element.text is not None for element in drawn), False])
        self.least = np.array([0, *(_least_pixels(one, font_size) for one in drawn), 0])
        self.differs = self._differ(picture, empty)

    def look(self, ids: Ids, below: Ids) -> tuple[npt.NDArray[np.bool_], Ids]:
        """By number, whether it is seen; and the owners again, only where they stand out.

        `below` has the owners that another order of painting shows at the same places.
        """
        owned = self._count(ids.ravel())
        stands_out = self.differs & ((below == ids) | (below == 0) | (below == self.guides))
        changed = self._count(ids[stands_out])
        edges, contrasts, crowded = np.zeros((3, self.size))
        for step in ((0, 2), (2, 0)):
            first = np.nonzero(
                ids[step[0] :, step[1] :] != ids[: -step[0] or None, : -step[1] or None]
            )
            second = (first[0] + step[0], first[1] + step[1])
            a, b = ids[first], ids[second]
            contrast = self._differ(self.picture[first], self.picture[second])
            # An axis line or a frame beside a mark is no merit of the mark.
            contrast &= (a != self.guides) & (b != self.guides)
            for one, neighbour, places in ((a, b, first), (b, a, second)):
                edges += self._count(one)
                contrasts += self._count(one[contrast])
                crowded += self._count(one[self.is_text[neighbour]])
                stands_out[places] |= contrast
        seen = contrasts >= 0.2 * np.maximum(edges, 1)
        seen |= ~self.is_text & (changed >= 0.25 * owned)
        seen &= (owned >= self.least) & ~(self.is_text & (crowded > 0.25 * edges))
        seen[[0, self.guides]] = False
        return seen, np.where(stands_out, ids, 0)

    def _count(self, ids: Ids) -> npt.NDArray[np.int64]:
        return np.bincount(ids, minlength=self.size)

    def _differ(self, one: Pixels, other: Pixels) -> npt.NDArray[np.bool_]:
        different: npt.NDArray[np.bool_] = np.abs(one - other).max(axis=-1) >= self.contrast
        return different


def _least_pixels(element: Element, font_size: int) -> float:
    text = element.text
    if text is None:
        return MIN_PIXELS
    size = float(re.sub(r"px$", "", element.node.get("font-size", "0")))
    characters = len(text.replace(" ", ""))
    lines = [float(line.get("dy", 0)) for line in list(element.node)[1:]]
    if size < font_size or characters == 0 or any(step < MIN_LINE * size for step in lines):
        return float("inf")
    return max(MIN_PIXELS, INK * size**2 * characters)
