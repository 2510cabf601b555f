"""What `inward_rewards.entropy` left in the trace of a measured rollout, whoever asked for it."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

import verifiers.v1 as vf


def measurement(trace: vf.WireTrace) -> dict[str, Any] | None:
    """The record with `layers` and `per_layer`, of equal length and finite; None where none is:
    what another environment keeps under such names is not ours to read."""
    for record in trace.info.values():
        found = record.get("measurement") if isinstance(record, dict) else None
        if isinstance(found, dict):
            layers, values = found.get("layers"), found.get("per_layer")
            if (
                isinstance(layers, list)
                and isinstance(values, list)
                and len(layers) == len(values)
                and all(isinstance(layer, int) for layer in layers)
                and all(is_finite(value) for value in values)
            ):
                return found
    return None


def layer_entropies(trace: vf.WireTrace) -> list[tuple[int, float]]:
    """Layer and matrix entropy of a measured rollout; none of another."""
    found = measurement(trace)
    if found is None:
        return []
    return list(zip(found["layers"], map(float, found["per_layer"]), strict=True))


def is_finite(value: Any) -> TypeGuard[float]:
    """Whether it is a number that can be shown and counted."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float holds
        return False
