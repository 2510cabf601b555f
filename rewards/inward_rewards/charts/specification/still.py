"""An interactive specification as the still picture it first draws.

Nobody ever selects, drags or hovers here: a selection without a value of its own holds nothing, and
what depends on it looks as it does before the first click. A parameter with a value is that value.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.specification import limits

Json: TypeAlias = Any
_LITERAL = re.compile(r"'[^'\\]*'|\"[^\"\\]*\"|(?<![\w.])[A-Za-z_]\w*")
_ROWS = ("values", "datasets")
_LOGICAL = ("and", "or")


def still(spec: Json) -> Json:
    """The specification without parameters and selections.

    Raises `RenderError` for a parameter that is computed, or a selection that starts with a value.
    """
    parameters = _Parameters()
    _collect(spec, parameters)
    return _resolved(spec, parameters, "")


@dataclass
class _Parameters:
    values: dict[str, Json] = field(default_factory=dict)
    selections: set[str] = field(default_factory=set)


def _collect(node: Json, parameters: _Parameters) -> None:
    if isinstance(node, list):
        for child in node:
            _collect(child, parameters)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "params" and isinstance(value, list):
            for one in value:
                _parameter(one, parameters)
        elif key == "selection" and isinstance(value, dict) and _is_view(node):
            for name, one in value.items():
                if isinstance(one, dict) and "init" in one:
                    _refuse_start(name)
                parameters.selections.add(name)
        elif key not in _ROWS:
            _collect(value, parameters)


def _parameter(one: Json, parameters: _Parameters) -> None:
    name = one.get("name") if isinstance(one, dict) else None
    if not isinstance(name, str):
        raise RenderError("'params' must be a list of objects with a name")
    if "expr" in one:
        raise RenderError(f"parameter {name!r} is computed: write its value where it is used")
    if "select" in one or one.get("bind") == "scales":
        if "value" in one:
            _refuse_start(name)
        parameters.selections.add(name)
    elif not isinstance(value := one.get("value"), dict | list):
        # It may be written in many places: a short one cannot make a specification grow.
        if isinstance(value, str) and len(value) > limits.MAX_STRING:
            raise RenderError(f"parameter {name!r} has more than {limits.MAX_STRING} characters")
        parameters.values[name] = value


def _refuse_start(name: str) -> None:
    raise RenderError(
        f"selection {name!r} starts with a value: write the colours, domains or rows that it gives"
    )


def _is_view(node: dict[str, Json]) -> bool:
    return bool(node.keys() & {"mark", "layer", "hconcat", "vconcat", "concat", "spec"})


def _resolved(node: Json, parameters: _Parameters, key: str) -> Json:
    if isinstance(node, list):
        parts = [_resolved(child, parameters, key) for child in node]
        # A filter that lets everything through is none.
        return [part for part in parts if part != {"filter": "true"}]
    if isinstance(node, str) and key in ("calculate", "filter", "test", *_LOGICAL, "not"):
        return _spelt(node, parameters)
    if not isinstance(node, dict):
        return node
    if (
        set(node) == {"expr"}
        and isinstance(node["expr"], str)
        and node["expr"] in parameters.values
    ):
        return parameters.values[node["expr"]]
    holds = _selected(node, parameters)
    if holds is not None and key in ("filter", "test", *_LOGICAL, "not"):
        return "true" if holds else "false"
    if "condition" in node:
        node = _conditioned(node, parameters)
    clean = {}
    for name, value in node.items():
        if name == "params" and isinstance(value, list):
            continue
        if name == "selection" and isinstance(value, dict) and _is_view(node):
            continue
        if (
            name in ("domain", "extent")
            and isinstance(value, dict)
            and _selected(value, parameters) is not None
        ):
            continue
        clean[name] = value if name in _ROWS else _resolved(value, parameters, name)
    return clean


def _selected(node: Json, parameters: _Parameters) -> bool | None:
    """Whether a predicate on a parameter holds while nothing is selected; None for another."""
    if not isinstance(node, dict):
        return None
    name = node.get("param", node.get("selection"))
    if not isinstance(name, str):
        return None
    if name in parameters.values:
        return bool(parameters.values[name])
    if name not in parameters.selections:
        return None
    return node.get("empty", True) not in (False, "none")


def _conditioned(node: dict[str, Json], parameters: _Parameters) -> dict[str, Json]:
    """A channel without the conditions on selections."""
    conditions = node["condition"]
    rest = {name: value for name, value in node.items() if name != "condition"}
    kept: list[Json] = []
    for one in conditions if isinstance(conditions, list) else [conditions]:
        holds = _selected(one, parameters)
        if holds is None:
            kept.append(one)
        elif holds:
            shared = {k: v for k, v in one.items() if k not in ("param", "selection", "empty")}
            # What a holds condition says stands in place of what is said without it.
            rest = shared
            break
    if not kept:
        return rest
    return {**rest, "condition": kept if isinstance(conditions, list) else kept[0]}


def _spelt(expression: str, parameters: _Parameters) -> str:
    """An expression with the values of parameters in place of their names."""

    def value(found: re.Match[str]) -> str:
        name = found.group()
        return json.dumps(parameters.values[name]) if name in parameters.values else name

    short = len(expression) <= limits.MAX_EXPRESSION
    return _LITERAL.sub(value, expression) if short else expression
