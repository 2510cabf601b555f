"""From a description to a chart: what every backend gets and gives.

A backend never sees the picture. It writes a specification, which is drawn by
`inward_rewards.charts`, or it draws pictures itself.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from typing import Any, Protocol, Self


@dataclass(frozen=True)
class Canvas:
    """All that a backend may know of the original."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    key: str
    """Of the task: what is drawn by chance is drawn by the same chance for all its rollouts."""

    @classmethod
    def of(cls, png: bytes) -> Self:
        """That of an original."""
        width, height = struct.unpack(">II", png[16:24])
        return cls(width, height, hashlib.sha256(png).hexdigest())


@dataclass(frozen=True)
class Redrawn:
    """What a backend made of a description: a specification, or pictures, or neither."""

    spec: str | dict[str, Any] | None = None
    """A Vega-Lite specification, as JSON text or as the dict of one."""
    pictures: tuple[bytes | None, ...] = ()
    """PNGs of the same description with different seeds; None for one that was refused."""
    reason: str | None = None
    """Why there is nothing to see."""
    metrics: dict[str, float] = field(default_factory=dict)
    """What the backend has to say of the description, by name."""
    record: dict[str, Any] = field(default_factory=dict)
    """What a trace keeps, to show the drawing later."""


class Redraw(Protocol):
    """A backend. The description's faults draw nothing, with a reason; the machine's raise
    `RedrawError`, or `inward_rewards.sandbox.PoolError`."""

    async def __call__(self, description: str, canvas: Canvas) -> Redrawn: ...
