"""How like a drawing is to the chart that was described: what the reward of pictures rests on."""

from __future__ import annotations

import asyncio

from inward_rewards.images.errors import RedrawError
from inward_rewards.sandbox import Breach, Limits, Pool, Program, Turns

PROGRAM = Program(
    "the comparer of drawings",
    "inward_rewards.images.likeness_worker",
    'pip install "inward-rewards[charts]"',
)
LIMITS = Limits(8.0, 1024)


async def drawing_likeness(reference: bytes, drawing: bytes) -> float:
    """`chart_similarity` of two pictures, in [0, 1], worked out in another process.

    Raises `RedrawError` for a drawing that breaks its limits: a generator made it, not a policy.
    """
    await _turns.wait()
    pool = _shared_pool()
    reply = await asyncio.wrap_future(pool.submit(pool.call, {}, reference, drawing))
    if isinstance(reply, Breach):
        raise RedrawError(f"comparing a drawing of {len(drawing)} bytes breaks {LIMITS}: {reply}")
    return float(reply[0]["likeness"])


_turns = Turns()
_pools: dict[None, Pool] = {}


def _shared_pool() -> Pool:
    """One pool for the whole process, started at the first use and closed at exit."""
    # Without a lock, which a fork could leave taken: who loses the race has started nothing.
    return _pools.get(None) or _pools.setdefault(None, Pool(PROGRAM, LIMITS))
