"""Many requests at once, a few in each turn of the event loop.

A thousand tasks that begin together all run in one turn of the loop. However little each of them
does there, nothing else runs meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque

SLICE_SECONDS = 0.002
"""What the requests may take of one turn before the others have to wait for the next."""
AT_ONCE = 16
"""How many of those waiting go on in each turn."""


class Turns:
    """Used by every request of one kind; each event loop has a queue of its own."""

    def __init__(self) -> None:
        self._local = threading.local()

    async def wait(self) -> None:
        """Returns at once, or in a later turn where this one has had enough."""
        loop = asyncio.get_running_loop()
        queue: _Queue | None = getattr(self._local, "queue", None)
        if queue is None or queue.loop is not loop:
            queue = self._local.queue = _Queue(loop)
        if (turn := queue.enter()) is not None:
            await turn


class _Queue:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._began: float | None = None
        """When the first request of this turn came; None: none has."""

    def enter(self) -> asyncio.Future[None] | None:
        """None: go on."""
        now = time.perf_counter()
        if self._began is None:
            self._began = now
            self.loop.call_soon(self._next)
        if not self._waiting and now - self._began < SLICE_SECONDS:
            return None
        turn = self.loop.create_future()
        self._waiting.append(turn)
        return turn

    def _next(self) -> None:
        self._began = None
        for _ in range(min(AT_ONCE, len(self._waiting))):
            turn = self._waiting.popleft()
            if not turn.done():  # its task was cancelled
                turn.set_result(None)
        if self._waiting:
            self._began = time.perf_counter()
            self.loop.call_soon(self._next)
