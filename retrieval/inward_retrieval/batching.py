"""Work of many callers done in batches on threads of its own, off every event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


class Batcher(Generic[In, Out]):
    """Calls `run` with the items of concurrent callers together, each caller awaiting its own.

    An item waits up to `window` seconds for others, and for a thread to be free; a batch has at
    most `max_batch` items. `run` returns one result per item, in order; an exception among them is
    raised to its caller, and one that `run` raises to every caller of the batch. Callers may belong
    to several event loops, and may give up at any time: whatever one of them, `run` or `close`
    does, no other waits for ever.
    """

    def __init__(
        self,
        run: Callable[[list[In]], Sequence[Out | Exception]],
        *,
        window: float,
        max_batch: int,
        threads: int = 1,
    ) -> None:
        self._run = run
        self._window = window
        self._max_batch = max_batch
        self._waiting: dict[asyncio.AbstractEventLoop, list[_Job[In, Out]]] = {}
        self._jobs: deque[_Job[In, Out]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._max_threads = threads
        self._threads: list[threading.Thread] = []

    async def submit(self, item: In) -> Out:
        """The result of `item`. RuntimeError where the batcher is closed."""
        if self._closed:
            raise _closed()
        loop = asyncio.get_running_loop()
        job: _Job[In, Out] = (item, loop.create_future())
        waiting = self._waiting.get(loop)
        if waiting is None:
            self._forget_closed_loops()
            waiting = self._waiting[loop] = []
            loop.call_later(self._window, self._hand_over, loop)
        waiting.append(job)
        return await job[1]

    def close(self) -> None:
        """Lets the threads finish what they were handed and end; refuses what still waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _forget_closed_loops(self) -> None:
        """Nobody awaits what a loop that was closed within the window still held."""
        for loop in list(self._waiting):
            if loop.is_closed():
                self._waiting.pop(loop, None)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        jobs = self._waiting.pop(loop)
        refusal: Exception | None = None
        with self._changed:
            try:
                self._start_threads()
            except RuntimeError as error:  # no more threads to be had
                refusal = None if self._threads else error
            if self._closed:
                refusal = _closed()
            if refusal is None:
                self._jobs.extend(jobs)
                self._changed.notify_all()
        if refusal is not None:
            _deliver([(future, refusal) for _, future in jobs])

    def _start_threads(self) -> None:
        # None is alive before the first batch, and in a forked child.
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        while len(self._threads) < self._max_threads and not self._closed:
            thread = threading.Thread(target=self._work, name="inward-retrieval", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._jobs:
                    if self._closed:
                        return
                    self._changed.wait()
                jobs = [self._jobs.popleft() for _ in range(min(self._max_batch, len(self._jobs)))]
            jobs = [job for job in jobs if not job[1].done()]  # not those given up meanwhile
            if jobs:
                self._answer(jobs)

    def _answer(self, jobs: list[_Job[In, Out]]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Answer[Out]]] = {}
        for (_, future), result in zip(jobs, self._results(jobs), strict=True):
            by_loop.setdefault(future.get_loop(), []).append((future, result))
        for loop, answers in by_loop.items():
            with suppress(RuntimeError):  # the loop was closed: nobody awaits these any more
                loop.call_soon_threadsafe(_deliver, answers)

    def _results(self, jobs: list[_Job[In, Out]]) -> list[Out | BaseException]:
        """One per job, whatever `run` does: a thread that dies here would leave callers waiting."""
        try:
            results: list[Out | BaseException] = list(self._run([item for item, _ in jobs]))
            if len(results) != len(jobs):
                raise RuntimeError(f"{len(jobs)} texts were given and {len(results)} results came")
        except BaseException as error:
            return [error] * len(jobs)
        return results


_Job = tuple[In, "asyncio.Future[Out]"]
_Answer = tuple["asyncio.Future[Out]", Out | BaseException]


def _closed() -> RuntimeError:
    return RuntimeError("this retriever is closed")


def _deliver(answers: Sequence[_Answer[Out]]) -> None:
    for future, result in answers:
        if future.done():  # its caller gave up
            continue
        if not isinstance(result, BaseException):
            future.set_result(result)
        elif isinstance(result, Exception) and not isinstance(result, StopIteration):
            future.set_exception(result)
        else:
            # A future takes no StopIteration; and an exit or a library's panic, raised in a thread,
            # is this batch's failure and not an order to the event loop that awaits it.
            failure = RuntimeError(f"the batch failed: {result!r}")
            failure.__cause__ = result
            future.set_exception(failure)
