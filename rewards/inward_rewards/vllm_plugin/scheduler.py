"""The scheduler's part: which scored requests may enter, and which finished ones wait.

A score is computed beside the engine, so a request can finish before its score is there: its
last output is held here until the two can leave together. A request's place is free in one way
alone: the worker has reported on it, with an answer or, where it was aborted, without; only then
are its rows free.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from inward_rewards.entropy.wire import ScoreRequest
from inward_rewards.vllm_plugin.settings import count_positions

Request = TypeVar("Request")


@dataclass(frozen=True)
class _Load:
    rows: int
    """Rows of the worker's buffer."""
    tokens: int
    """Prompt tokens to be computed."""


class Admission(Generic[Request]):
    """Bounds on what is scored at once; where nothing is, the first request in line always enters.

    `rows`: those of the worker's buffer. `tokens`: prompt tokens, so that a burst of scores takes
    no more than this from each step of the generations beside them.
    """

    def __init__(self, rows: int, tokens: int) -> None:
        self._rows, self._tokens = rows, tokens
        self._queue: deque[tuple[str, Request, _Load]] = deque()
        self._inside: dict[str, _Load] = {}
        self._held: dict[str, tuple[int, Any]] = {}
        self._leaving: set[str] = set()
        self._answers: dict[str, Any] = {}

    @property
    def busy(self) -> bool:
        return bool(self._inside or self._queue)

    @property
    def awaits(self) -> bool:
        """Whether the worker owes a report on a request that the engine is done with."""
        return bool(self._held or self._leaving)

    def admit(self, request_id: str, request: Request, wanted: ScoreRequest, tokens: int) -> bool:
        """True: it may enter now. False: it queues, and `admissible` yields it in its turn."""
        load = _Load(count_positions(wanted.reads), tokens)
        if self._queue or not self._fits(load):
            self._queue.append((request_id, request, load))
            return False
        self._inside[request_id] = load
        return True

    def expect(self, request_id: str) -> bool:
        """It may enter, for the error that the worker will answer."""
        self._inside[request_id] = _Load(0, 0)
        return True

    def admissible(self) -> Iterator[Request]:
        while self._queue and self._fits(self._queue[0][2]):
            request_id, request, load = self._queue.popleft()
            self._inside[request_id] = load
            yield request

    def withdraw(self, request_ids: Collection[str] | None) -> list[Request]:
        """Forget these requests; those that still queued.

        None: all that the engine is not done with, so that what is held still gets its answer.
        """
        gone = self._unfinished() if request_ids is None else set(request_ids)
        queued = [request for request_id, request, _ in self._queue if request_id in gone]
        self._queue = deque(entry for entry in self._queue if entry[0] not in gone)
        for request_id in gone:
            self.forget(request_id)
        return queued

    def forget(self, request_id: str) -> None:
        """The request ended without a score."""
        self._held.pop(request_id, None)
        if request_id in self._inside:
            self._leaving.add(request_id)

    def hold(self, request_id: str, client: int, output: Any) -> bool:
        """Keep a request's last output; False where it is none of ours."""
        if request_id not in self._inside or request_id in self._leaving:
            return False
        self._held[request_id] = (client, output)
        return True

    def settle(self, answers: Mapping[str, Any]) -> Iterator[tuple[int, Any, Any]]:
        """(client, last output, answer) for each request that now has both."""
        self._answers |= {key: answers[key] for key in answers if key in self._inside}
        for request_id in self._leaving & answers.keys():
            self._leaving.discard(request_id)
            del self._inside[request_id], self._answers[request_id]
        for request_id in [key for key in self._answers if key in self._held]:
            client, output = self._held.pop(request_id)
            del self._inside[request_id]
            yield client, output, self._answers.pop(request_id)

    def _unfinished(self) -> set[str]:
        queued = {request_id for request_id, _, _ in self._queue}
        return queued | self._inside.keys() - self._held.keys()

    def _fits(self, load: _Load) -> bool:
        if not self._inside:
            return True
        rows = sum(one.rows for one in self._inside.values())
        tokens = sum(one.tokens for one in self._inside.values())
        return rows + load.rows <= self._rows and tokens + load.tokens <= self._tokens
