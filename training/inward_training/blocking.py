"""Rollouts for a trainer that is not asynchronous."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from inward_training.samples import Group

T = TypeVar("T")


class Player(Protocol):
    """What `Rollouts` and `RemoteRollouts` have in common."""

    environment: str
    weights: int
    failures: Counter[str]

    async def count(self) -> int | None: ...

    def play(self, tasks: Iterable[int], *, group_size: int = 1) -> AsyncGenerator[Group, None]: ...


async def in_order(player: Player, tasks: Sequence[int], *, group_size: int = 1) -> list[Group]:
    """The groups of these tasks, in the order of `tasks`; a play that is broken off is ended."""
    found: dict[int, list[Group]] = {}
    async with contextlib.aclosing(player.play(tasks, group_size=group_size)) as groups:
        async for group in groups:
            found.setdefault(group.index, []).append(group)
    return [found[index].pop(0) for index in tasks]


class Blocking:
    """Rollouts on an event loop of their own thread.

    with Blocking(lambda: Rollouts(env, model, endpoint)) as rollouts:
        groups = rollouts.play(range(8), group_size=8)
    """

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[Player]]) -> None:
        """`make` is called on that thread: what it makes belongs to that loop."""
        self._make = make
        self._live = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._until_left()), name="inward-rollouts", daemon=True
        )
        self._loop: asyncio.AbstractEventLoop
        self._left: asyncio.Event
        self._stack = contextlib.AsyncExitStack()
        self._player: Player | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._live.wait()
        try:
            self._player = self._wait(self._enter())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._wait(self._stack.aclose())
        finally:
            self._end()

    @property
    def environment(self) -> str:
        return self._open.environment

    @property
    def weights(self) -> int:
        """The version of the weights that the engine serves now."""
        return self._open.weights

    @weights.setter
    def weights(self, version: int) -> None:
        self._open.weights = version

    @property
    def failures(self) -> Counter[str]:
        """Failed rollouts so far, by cause."""
        return self._open.failures

    def count(self) -> int | None:
        """How many tasks there are; None where they never end."""
        return self._wait(self._open.count())

    def play(self, tasks: Iterable[int], *, group_size: int = 1) -> list[Group]:
        """The groups of these tasks, in the order of `tasks`. An exception or Ctrl-C here cancels
        what is in flight."""
        return self._wait(self._play(list(tasks), group_size))

    async def _play(self, tasks: list[int], group_size: int) -> list[Group]:
        return await in_order(self._open, tasks, group_size=group_size)

    @property
    def _open(self) -> Player:
        if self._player is None:
            raise RuntimeError("Blocking plays only within `with`")
        return self._player

    async def _enter(self) -> Player:
        return await self._stack.enter_async_context(self._make())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`. Where the wait is interrupted, work is cancelled and wound up
        before this returns: the environment must still be there for it."""
        begun: list[asyncio.Task[T]] = []
        ended = threading.Event()

        def begin() -> None:
            begun.append(self._loop.create_task(work))
            begun[0].add_done_callback(lambda _: ended.set())

        self._loop.call_soon_threadsafe(begin)
        try:
            ended.wait()
        except BaseException:
            self._loop.call_soon_threadsafe(lambda: begun[0].cancel())
            ended.wait()
            raise
        return begun[0].result()

    async def _until_left(self) -> None:
        self._loop, self._left = asyncio.get_running_loop(), asyncio.Event()
        self._live.set()
        await self._left.wait()

    def _end(self) -> None:
        self._player = None
        self._loop.call_soon_threadsafe(self._left.set)
        self._thread.join()
