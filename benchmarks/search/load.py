"""Concurrent callers in one event loop, and what they see."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from inward_retrieval.known_item import KnownItem

AsyncSearch = Callable[[KnownItem], Awaitable[object]]


@dataclass(frozen=True)
class Load:
    """What concurrent callers saw."""

    calls: float
    """Per second."""
    p50: float
    """ms, queueing for the event loop included."""
    p99: float
    stall: float
    """ms: the longest time that the event loop let a timer wait."""

    def __str__(self) -> str:
        return (
            f"{self.calls:9.0f} calls/s  p50 {self.p50:8.2f} ms  p99 {self.p99:8.2f} ms  "
            f"stall {self.stall:6.1f} ms"
        )


async def load(search: AsyncSearch, items: Sequence[KnownItem], callers: int) -> Load:
    """`callers` tasks work through `items`; each gives way to the others before every call."""
    waits: list[float] = []
    queue = iter(items)

    async def caller() -> None:
        for item in queue:
            started = time.perf_counter()
            await asyncio.sleep(0)
            await search(item)
            waits.append(time.perf_counter() - started)

    stalls = [0.0]

    async def watch() -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.001)
            stalls.append(time.perf_counter() - started - 0.001)

    watcher = asyncio.create_task(watch())
    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    spent = time.perf_counter() - started
    watcher.cancel()
    waits.sort()
    return Load(
        calls=len(waits) / spent,
        p50=waits[len(waits) // 2] * 1e3,
        p99=waits[int(len(waits) * 0.99)] * 1e3,
        stall=max(stalls) * 1e3,
    )
