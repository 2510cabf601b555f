"""What an environment tells `inward eval` about itself: its module under the entry point group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, cast

import verifiers.v1 as vf

GROUP = "inward.envs"

Policy = Callable[[dict[str, Any]], Mapping[str, Any]]
Column = tuple[str, Callable[[vf.WireTrace], float | None]]


class Front(Protocol):
    """The module named by an entry point `inward.envs`. `notes` and `answered` may be absent."""

    DEFAULT_ARGS: Sequence[str]
    """Options added where no model is named and the user has not set them."""
    BASELINES: Mapping[str, Callable[[int], Policy]]
    """Name -> seed -> policy; the first is the default."""
    CHANCE: float | None
    """What guessing scores in the first column."""
    COLUMNS: Sequence[Column]
    """Label and value of a trace, None where the trace is not of that subset; headline first."""


def installed() -> dict[str, EntryPoint]:
    """Environment id -> entry point."""
    return {point.name: point for point in entry_points(group=GROUP)}


def find(env_id: str) -> Front | None:
    """The front of an environment, by the id that `vf-eval` takes; None where it has none."""
    name = env_id.rsplit("/", 1)[-1].split("@", 1)[0].replace("_", "-").lower()
    point = installed().get(name)
    return None if point is None else cast(Front, point.load())
