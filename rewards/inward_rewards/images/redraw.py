"""From a description to a chart: the backends that never see the picture."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from inward_rewards.images.plain import read, specification


@dataclass(frozen=True)
class Redrawn:
    """What a backend made of a description."""

    spec: str | dict[str, Any] | None
    """A Vega-Lite specification; None where the description draws nothing."""
    reason: str | None = None
    """Why there is none."""
    metrics: dict[str, float] = field(default_factory=dict)
    """What the backend has to say of the description, by name."""


class Redraw(Protocol):
    """A backend. What is the description's fault comes back as a reason; a fault of the machine
    or of a server raises."""

    async def __call__(self, description: str, seed: int) -> Redrawn: ...


class PlainConfig(BaseModel):
    """Rules that read plain English: no model, no network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["plain"] = "plain"


class PlainRedraw:
    """`plain`: the statements of `inward_rewards.images.plain`, drawn.

    Metrics: `statements`, how many the description holds, and `ignored`, how many of them no rule
    understands.
    """

    async def __call__(self, description: str, seed: int) -> Redrawn:
        # Off the event loop: a hostile text of the greatest length takes a second.
        chart = await asyncio.to_thread(read, description)
        told = {"statements": float(chart.statements), "ignored": float(chart.ignored)}
        if chart.empty:
            return Redrawn(None, "no statement about a chart was understood", told)
        return Redrawn(specification(chart), None, told)
