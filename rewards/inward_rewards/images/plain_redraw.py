"""`plain`: rules read the description, in a killable process."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from inward_rewards.images.redraw import Canvas, Redrawn
from inward_rewards.sandbox import Breach, Limits, Memo, Pool, Program, Turns

PROGRAM = Program(
    "the reader of descriptions",
    "inward_rewards.images.worker",
    'pip install "inward-rewards[charts]"',
)
LIMITS = Limits(5.0, 512)
KNOWN_DESCRIPTIONS = 512
BREACHES = {
    Breach.CPU: f"reading it takes more than {LIMITS.cpu_seconds:g} s of CPU time",
    Breach.CRASH: f"reading it takes more than {LIMITS.memory_mb} MiB of memory",
}


class PlainRedraw:
    """`plain`: the statements of `inward_rewards.images.plain`, drawn.

    A policy wrote the text, so it is read in a killable process: what takes too long or too much
    memory draws nothing, with a reason. Equal descriptions are read once. Raises `PoolError` where
    the processes cannot run.

    Metrics: `statements`, how many the description holds, and `ignored`, how many of them no rule
    understands.
    """

    async def __call__(self, description: str, canvas: Canvas | None = None) -> Redrawn:
        """`canvas` is not read: what is not told of a size is the renderer's."""
        await _turns.wait()
        return await asyncio.wrap_future(self._submit(description))

    def sync(self, description: str) -> Redrawn:
        """For code that may block."""
        return self._submit(description).result()

    def _submit(self, description: str) -> Future[Redrawn]:
        return _known.ask(description, lambda: _shared_pool().submit(self._read, description))

    def _read(self, description: str) -> Redrawn:
        """In a thread of the pool."""
        reply = _shared_pool().call({"text": description})
        if isinstance(reply, Breach):
            return Redrawn(reason=BREACHES[reply], metrics={"statements": 0.0, "ignored": 0.0})
        header, _ = reply
        metrics = {name: float(header[name]) for name in ("statements", "ignored")}
        if header["spec"] is None:
            return Redrawn(reason="no statement about a chart was understood", metrics=metrics)
        return Redrawn(header["spec"], metrics=metrics)


_turns = Turns()
_known: Memo[str, Redrawn] = Memo(KNOWN_DESCRIPTIONS)
_pools: dict[None, Pool] = {}


def _shared_pool() -> Pool:
    """One pool for the whole process, started at the first use and closed at exit."""
    # Without a lock, which a fork could leave taken: who loses the race has started nothing.
    return _pools.get(None) or _pools.setdefault(None, Pool(PROGRAM, LIMITS))
