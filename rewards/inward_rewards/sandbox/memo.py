"""What was worked out, by the request: once for all who ask at the same time, then kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from inward_rewards.sandbox.forks import survives_forks

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Memo(Generic[KeyT, ValueT]):
    """Keeps the last `entries` values; exceptions are passed on and forgotten.

    A value that depends on the request alone belongs in it, a refusal too.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._known: OrderedDict[KeyT, ValueT] = OrderedDict()
        survives_forks(self)
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._flights: dict[KeyT, _Flight[ValueT]] = {}

    def ask(self, key: KeyT, start: Callable[[], Future[ValueT]]) -> Future[ValueT]:
        """A future of one's own, which may be cancelled: the work is, when all who asked have."""
        mine: Future[ValueT] = Future()
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                mine.set_result(self._known[key])
                return mine
            flight = self._flights.get(key)
            started = None
            if flight is None:
                started = start()
                flight = self._flights[key] = _Flight(started)
            flight.callers.append(mine)
        mine.add_done_callback(lambda _: self._left(key, flight, mine))
        if started is not None:
            started.add_done_callback(lambda _: self._land(key, flight))
        return mine

    def clear(self) -> None:
        """Forgets what is kept."""
        with self._lock:
            self._known.clear()

    def _land(self, key: KeyT, flight: _Flight[ValueT]) -> None:
        work = flight.work
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]
            if not work.cancelled() and work.exception() is None:
                self._known[key] = work.result()
                if len(self._known) > self._entries:
                    self._known.popitem(last=False)
            callers, flight.callers = flight.callers, []
        for mine in callers:
            if not mine.set_running_or_notify_cancel():
                continue
            if (error := work.exception()) is not None:
                mine.set_exception(error)
            else:
                mine.set_result(work.result())

    def _left(self, key: KeyT, flight: _Flight[ValueT], mine: Future[ValueT]) -> None:
        """One caller has its result, or has given up."""
        if not mine.cancelled():
            return
        with self._lock:
            if mine in flight.callers:
                flight.callers.remove(mine)
                if not flight.callers and flight.work.cancel():
                    self._flights.pop(key, None)


class _Flight(Generic[ValueT]):
    def __init__(self, work: Future[ValueT]) -> None:
        self.work = work
        self.callers: list[Future[ValueT]] = []
