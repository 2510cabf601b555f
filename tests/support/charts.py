"""Specifications that a policy may write for a chart whose truth it is told."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

Spec = dict[str, Any]


def fenced(spec: Any) -> str:
    return f"Here it is.\n\n```json\n{json.dumps(spec)}\n```\n"


def numbers_changed(spec: Spec, share: float, seed: int = 0) -> Spec:
    """Every measured number of the data moved up or down by about `share` of itself."""
    rng = random.Random(seed)
    changed = copy.deepcopy(spec)
    for rows in _data(changed):
        for row in rows:
            for name, value in row.items():
                if isinstance(value, float | int) and name in _measures(spec):
                    row[name] = value * (1 + rng.choice((-1, 1)) * share * rng.uniform(0.7, 1.3))
    return changed


def _data(node: Any) -> list[list[dict[str, Any]]]:
    if isinstance(node, dict):
        own = [node["values"]] if _are_rows(node.get("values")) else []
        return own + [rows for child in node.values() for rows in _data(child)]
    return [rows for child in node for rows in _data(child)] if isinstance(node, list) else []


def _are_rows(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and isinstance(values[0], dict)


def _measures(node: Any) -> set[str]:
    """Fields of y, theta and colour that hold quantities."""
    if isinstance(node, list):
        return {name for child in node for name in _measures(child)}
    if not isinstance(node, dict):
        return set()
    found = {name for child in node.values() for name in _measures(child)}
    for channel in ("y", "theta", "color"):
        definition = node.get(channel)
        if isinstance(definition, dict) and definition.get("type") == "quantitative":
            found.add(definition.get("field"))
    return found
