"""Work of many callers done in batches on threads of its own, off every event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


class Batcher(Generic[In, Out]):
    """Calls `run` with the items of concurrent callers together, each caller awaiting its own.

    An item waits up to `window` seconds for others, and for a thread to be free; a batch has at
    most `most` items. `run` returns one result an item, in order; an exception among them is raised
    to its caller, and one that `run` raises to every caller of the batch. Callers may belong to
    several event loops.
    """

    def __init__(
        self,
        run: Callable[[list[In]], Sequence[Out | Exception]],
        *,
        window: float,
        most: int,
        threads: int = 1,
    ) -> None:
        self._run = run
        self._window = window
        self._most = most
        self._waiting: dict[asyncio.AbstractEventLoop, list[_Job[In, Out]]] = {}
        self._jobs: deque[_Job[In, Out]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name="inward-retrieval", daemon=True)
            for _ in range(threads)
        ]
        self._started = False

    async def submit(self, item: In) -> Out:
        """The result of `item`."""
        loop = asyncio.get_running_loop()
        job: _Job[In, Out] = (item, loop.create_future())
        waiting = self._waiting.get(loop)
        if waiting is None:
            waiting = self._waiting[loop] = []
            loop.call_later(self._window, self._hand_over, loop)
        waiting.append(job)
        return await job[1]

    def close(self) -> None:
        """Lets the threads finish what they were handed and end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        jobs = self._waiting.pop(loop)
        with self._changed:
            if self._closed:
                closed = RuntimeError("this retriever is closed")
                for _, future in jobs:
                    future.set_exception(closed)
                return
            if not self._started:
                self._started = True
                for thread in self._threads:
                    thread.start()
            self._jobs.extend(jobs)
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._jobs:
                    if self._closed:
                        return
                    self._changed.wait()
                jobs = [self._jobs.popleft() for _ in range(min(self._most, len(self._jobs)))]
            jobs = [job for job in jobs if not job[1].done()]  # not those given up meanwhile
            if jobs:
                self._answer(jobs)

    def _answer(self, jobs: list[_Job[In, Out]]) -> None:
        results: Sequence[Out | Exception]
        try:
            results = self._run([item for item, _ in jobs])
        except Exception as error:
            results = [error] * len(jobs)
        by_loop: dict[asyncio.AbstractEventLoop, list[_Answer[Out]]] = {}
        for (_, future), result in zip(jobs, results, strict=True):
            by_loop.setdefault(future.get_loop(), []).append((future, result))
        for loop, answers in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_deliver, answers)


_Job = tuple[In, "asyncio.Future[Out]"]
_Answer = tuple["asyncio.Future[Out]", Out | Exception]


def _deliver(answers: list[_Answer[Out]]) -> None:
    for future, result in answers:
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
