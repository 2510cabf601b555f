"""From a description to a chart: the backends that never see the picture."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from inward_rewards.sandbox import Breach, Limits, Pool, Program

PROGRAM = Program(
    "the reader of descriptions",
    "inward_rewards.images.worker",
    'pip install "inward-rewards[charts]"',
)
LIMITS = Limits(5.0, 512)
BREACHES = {
    Breach.CPU: f"reading it takes more than {LIMITS.cpu_seconds:g} s of CPU time",
    Breach.CRASH: f"reading it takes more than {LIMITS.memory_mb} MiB of memory",
}


@dataclass(frozen=True)
class Redrawn:
    """What a backend made of a description."""

    spec: dict[str, Any] | None
    """A Vega-Lite specification; None where the description draws nothing."""
    reason: str | None = None
    """Why there is none."""
    metrics: dict[str, float] = field(default_factory=dict)
    """What the backend has to say of the description, by name."""


class PlainConfig(BaseModel):
    """Rules that read plain English: no model, no network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["plain"] = "plain"


class PlainRedraw:
    """`plain`: the statements of `inward_rewards.images.plain`, drawn.

    A policy wrote the text, so it is read in a killable process: what takes too long or too much
    memory draws nothing, with a reason. Raises `PoolError` where the processes cannot run.

    Metrics: `statements`, how many the description holds, and `ignored`, how many of them no rule
    understands.
    """

    async def __call__(self, description: str) -> Redrawn:
        return await asyncio.wrap_future(self._submit(description))

    def sync(self, description: str) -> Redrawn:
        """For code that may block."""
        return self._submit(description).result()

    def _submit(self, description: str) -> Future[Redrawn]:
        return _shared_pool().submit(self._read, description)

    def _read(self, description: str) -> Redrawn:
        """In a thread of the pool."""
        reply = _shared_pool().call({"text": description})
        if isinstance(reply, Breach):
            return Redrawn(None, BREACHES[reply], {"statements": 0.0, "ignored": 0.0})
        header, _ = reply
        metrics = {name: float(header[name]) for name in ("statements", "ignored")}
        if header["spec"] is None:
            return Redrawn(None, "no statement about a chart was understood", metrics)
        return Redrawn(header["spec"], None, metrics)


_pools: dict[None, Pool] = {}


def _shared_pool() -> Pool:
    """One pool for the whole process, started at the first use and closed at exit."""
    # Without a lock, which a fork could leave taken: who loses the race has started nothing.
    return _pools.get(None) or _pools.setdefault(None, Pool(PROGRAM, LIMITS))
