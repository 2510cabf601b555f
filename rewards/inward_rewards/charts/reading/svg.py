"""A chart's drawn items: the scenegraph's values joined with the SVG's elements."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import ImageColor

from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.reading.names import seen
from inward_rewards.charts.reading.plan import SEPARATOR

SVG = "{http://www.w3.org/2000/svg}"
GROUP, TEXT = f"{SVG}g", f"{SVG}text"
NESTED = {"line", "area", "trail"}
"""Mark types whose items are the points of one path."""
LEAVES = {f"{SVG}{tag}" for tag in ("path", "line", "text", "rect")}


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
        return " ".join(seen(" ".join(line for line in lines if line)).split())


def elements(scenegraph: dict[str, Any], root: ET.Element, cells: set[str]) -> list[Element]:
    """The drawn things in painting order. `cells` names the groups that are facet cells."""
    x, y = scenegraph["origin"]
    for side in ("width", "height"):
        _agree(float(scenegraph[side]), float(root.get(side, "nan")))
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
        for item, child in _pairs(items, node):
            inner = child.find(f"{SVG}g")
            assert inner is not None
            here = cell
            if name in cells:
                here = SEPARATOR.join(filter(None, (cell, item.get("description", ""))))
            for part, part_node in _pairs(_order(item["items"]), inner):
                yield from _mark(
                    part, part_node, x + item.get("x", 0), y + item.get("y", 0), here, cells
                )
    elif mark["marktype"] in NESTED:
        if items:
            _agree(items[0].get("description", ""), node[0].get("aria-label", ""))
            yield Element(node[0], name, items, x, y, cell, _opacity(node[0]), data, path=True)
    else:
        for item, child in _pairs(items, node):
            if data:
                _agree(item.get("description", ""), child.get("aria-label", ""))
            if data or mark["marktype"] == "text":
                yield Element(child, name, [item], x, y, cell, _opacity(child), data)


def _pairs(
    items: list[dict[str, Any]], nodes: ET.Element
) -> Iterator[tuple[dict[str, Any], ET.Element]]:
    _agree(len(items), len(nodes))
    return zip(items, nodes, strict=True)


def _agree(scenegraph: object, svg: object) -> None:
    """Refuses a chart whose two drawings differ.

    Vega draws it twice, as a scenegraph and as an SVG, since it gives no more than one of the two
    at a time. Both carry the values of every mark, so that none can be read off the one that is
    not what the other shows.
    """
    if scenegraph != svg:
        raise RenderError(
            f"two drawings of it differ, {str(scenegraph)[:40]!r} and {str(svg)[:40]!r}: nothing "
            "may be drawn by chance"
        )


def _opacity(node: ET.Element) -> float:
    whole = _number(node, "opacity")
    return whole * max(alpha(node, "fill"), alpha(node, "stroke"))


def _number(node: ET.Element, name: str) -> float:
    text = node.get(name, "1")
    try:
        return float(text)
    except ValueError as error:
        raise RenderError(f"{name} {text[:40]!r}: write it as a number") from error


def rgb(color: str) -> tuple[float, ...]:
    """Red, green and blue of a CSS colour, 0 to 255. `RenderError` for one that Pillow lacks."""
    try:
        found = ImageColor.getrgb(re.sub(r"^(rgb|hsl)a\((.*),[^,]*\)$", r"\1(\2)", color))
    except ValueError as error:
        raise RenderError(f"colour {color[:40]!r}: write it as #rrggbb") from error
    return tuple(float(part) for part in found[:3])


def alpha(node: ET.Element, attribute: str) -> float:
    """The opacity of an element's fill or stroke."""
    color = node.get(attribute, "none")
    if color in ("none", "transparent") or (
        attribute == "stroke" and _number(node, "stroke-width") == 0
    ):
        return 0.0
    alpha = _number(node, f"{attribute}-opacity")
    if match := re.fullmatch(r"(?:rgba|hsla)\(.*[,/]\s*(\d+\.?\d*|\.\d+)\s*\)", color):
        return alpha * float(match[1])
    if match := re.fullmatch(
        r"#(?:[0-9a-fA-F]{6}([0-9a-fA-F]{2})|[0-9a-fA-F]{3}([0-9a-fA-F]))", color
    ):
        digits = match[1] or match[2]
        return alpha * int(digits, 16) / float(16 ** len(digits) - 1)
    return alpha
