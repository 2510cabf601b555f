"""`repeat` written out: a view for each field, side by side, in a grid or in layers."""

from __future__ import annotations

import itertools
from typing import Any, TypeAlias

from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.specification import limits

Json: TypeAlias = Any
_ALONE = "repeat"
"""How a view's encoding names the field of a plain list."""


def unrolled(spec: Json) -> Json:
    """The specification with every `repeat` replaced by the views that it stands for.

    Raises `RenderError` where they are more than the views that a specification may have.
    """
    if isinstance(spec, dict):
        if "repeat" in spec and "spec" in spec:
            return _views(spec)
        return {key: value if key == "data" else unrolled(value) for key, value in spec.items()}
    return [unrolled(child) for child in spec] if isinstance(spec, list) else spec


def _views(spec: dict[str, Json]) -> dict[str, Json]:
    repeat, inner = spec["repeat"], unrolled(spec["spec"])
    if not isinstance(inner, dict):
        raise RenderError("the 'spec' of a 'repeat' must be an object: the view to repeat")
    lists = repeat if isinstance(repeat, dict) else {_ALONE: repeat}
    if not set(lists) <= {"row", "column", "layer", _ALONE} or not all(
        isinstance(names, list) and all(isinstance(name, str) for name in names)
        for names in lists.values()
    ):
        raise RenderError("'repeat' must be a list of fields, or lists in row, column and layer")
    total = max(1, _marks(inner))
    for names in lists.values():
        total *= max(1, len(names))
    if total > limits.MAX_MARKS:
        raise RenderError(f"'repeat' makes {total} views, more than {limits.MAX_MARKS}")
    around = {k: v for k, v in spec.items() if k not in ("repeat", "spec", "columns")}
    if _ALONE in lists:
        columns = {"columns": spec["columns"]} if "columns" in spec else {}
        return {**around, "concat": [_of(inner, {_ALONE: f}) for f in lists[_ALONE]], **columns}
    rows, columns = lists.get("row", [None]), lists.get("column", [None])
    grid = [
        _layers(inner, {"row": row, "column": column}, lists.get("layer"))
        for row, column in itertools.product(rows, columns)
    ]
    if rows == columns == [None]:
        return {**around, **grid[0]}
    return {**around, "concat": grid, "columns": len(columns)}


def _marks(node: Json) -> int:
    """Views that draw one: a repeat of repeats multiplies them."""
    if isinstance(node, list):
        return sum(map(_marks, node))
    if not isinstance(node, dict):
        return 0
    return ("mark" in node) + sum(_marks(value) for key, value in node.items() if key != "data")


def _layers(view: Json, fields: dict[str, str | None], layers: list[str] | None) -> Json:
    if layers is None:
        return _of(view, fields)
    return {"layer": [_of(view, {**fields, "layer": name}) for name in layers]}


def _of(node: Json, fields: dict[str, Any]) -> Json:
    """The view with the fields in place of their names in `repeat`."""
    if isinstance(node, list):
        return [_of(child, fields) for child in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"repeat"} and isinstance(node["repeat"], str):
        return fields.get(node["repeat"]) or node
    return {key: value if key == "data" else _of(value, fields) for key, value in node.items()}
