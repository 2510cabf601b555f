"""From a linted specification to pixels and a scene, in one process. Runs in the worker only."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import vl_convert

from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.reading import (
    Rendered,
    each,
    elements,
    find_visible,
    instrument,
    pixels,
    read,
)
from inward_rewards.charts.specification import limits
from inward_rewards.sandbox import Broken

CHANGING = re.compile(r"\b(?:random|now|sample\w*)\s*\(")
"""Calls after which the same specification would be drawn differently."""
LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
"""A string of an expression: titles and names of fields come in them."""
BOOTSTRAPPED = ("ci0", "ci1")
"""Aggregates that are drawn by lot."""
EXPRESSIONS = ("signal", "expr", "test", "update", "init")
PANICS = ("panicked", "poisoned", "Any { .. }")


def draw(spec: dict[str, Any], *, strict: bool = False) -> Rendered:
    """Renders a specification that `lint` passed; `strict`: the scene is what can be read well.

    Raises `RenderError` where the compiler or the renderer refuses it, or the chart is too large.
    """
    vega = _convert(vl_convert.vegalite_to_vega, spec)
    _check_vega(vega)
    plan = instrument(vega)
    scenegraph = _convert(vl_convert.vega_to_scenegraph, vega, allowed_base_urls=[])
    width, height = scenegraph["width"], scenegraph["height"]
    if not (0 < width <= limits.MAX_CANVAS_SIDE and 0 < height <= limits.MAX_CANVAS_SIDE):
        raise RenderError(
            f"the chart is {width} x {height} pixels; each side must be from 1 to "
            f"{limits.MAX_CANVAS_SIDE}"
        )
    effort = work(scenegraph["scenegraph"]) + int(width * height / limits.WORK_PIXELS)
    if effort > limits.MAX_WORK:
        raise RenderError(
            f"drawing it is {effort} units of work, more than {limits.MAX_WORK}: draw fewer items, "
            "fewer texts or a smaller picture"
        )
    svg = _convert(vl_convert.vega_to_svg, vega, allowed_base_urls=[])
    root = ET.fromstring(svg)
    _check_svg(root)
    png = _convert(vl_convert.svg_to_png, svg)
    _at_most("the picture", len(png), limits.MAX_PNG_BYTES)
    picture = pixels(png)
    drawn = elements(scenegraph, root, set(plan.facets))
    visibility = find_visible(root, drawn, picture, vl_convert.svg_to_png, strict=strict)
    scene = read(plan, visibility, strict=strict)
    _at_most("the chart's table and texts", len(scene.packed), limits.MAX_SCENE_BYTES)
    return Rendered(png, picture.shape[1], picture.shape[0], scene)


def work(mark: dict[str, Any] | None) -> int:
    """What drawing a mark of a scenegraph takes: an item 1, a text 3, and what groups hold.

    Counted, not timed: whether a chart is drawn must not hang on how busy a machine is. A unit is
    some 0.3 ms of CPU time. Raises `RenderError` where Vega broke off, which leaves marks unmade.
    """
    if mark is None:
        raise RenderError(
            "Vega cannot finish it: look for a wrong format, or ask for fewer ticks, bins or items"
        )
    if mark["marktype"] != "group":
        return len(mark["items"]) * (limits.WORK_TEXT if mark["marktype"] == "text" else 1)
    return sum(work(part) for group in mark["items"] for part in group["items"])


def _convert(function: Any, spec: Any, **options: Any) -> Any:
    try:
        return function(spec, **options)
    except ValueError as error:
        message = " ".join(str(error).split())
        if any(panic in message for panic in PANICS):
            raise Broken(message) from error
        raise RenderError(_reason(message)) from error


def _reason(message: str) -> str:
    """The first sentence of a converter's message, without its stack."""
    _, _, rest = message.partition("failed:")
    return (rest or message).partition(" at ")[0].strip()[:200]


def _at_most(what: str, size: int, maximum: int) -> None:
    if size > maximum:
        raise RenderError(f"{what}: {size} bytes, more than {maximum}")


def _check_vega(vega: dict[str, Any]) -> None:
    """A second look, at what the compiler made: nothing in it may load anything, or change."""
    for data in each(vega, "data"):
        if "url" in data:
            raise RenderError("data must be inline")
        for transform in data.get("transform", ()):
            ops = transform.get("ops") or ()
            if transform["type"] == "sample" or any(op in ops for op in BOOTSTRAPPED):
                raise RenderError("samples and confidence intervals by chance are not allowed")
    stack = list(vega.get("marks", ()))
    while stack:
        mark = stack.pop()
        stack += mark.get("marks", ())
        if mark["type"] in ("image", "shape", "path"):
            raise RenderError(f"a mark of type {mark['type']!r} is not allowed")
    _check_expressions(vega)


def _check_expressions(node: Any) -> None:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, dict | list):
            # Data rows may have fields of any name and hold any text.
            if not (key == "values" and "name" in node):
                _check_expressions(value)
        elif (
            key in EXPRESSIONS
            and isinstance(value, str)
            and CHANGING.search(LITERAL.sub("''", value))
        ):
            raise RenderError(f"an expression that changes is not allowed: {value[:60]!r}")


def _check_svg(root: ET.Element) -> None:
    for node in root.iter():
        tag = node.tag.rpartition("}")[2]
        if tag in ("image", "use", "a", "style", "foreignObject", "filter"):
            raise RenderError(f"a chart may not hold an SVG <{tag}>")
