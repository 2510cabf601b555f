"""Tensor parallelism: each rank holds the output layer of its own part of the vocabulary.

Every rank keeps the final states, which are the same on all of them, and reads its own logits: four
sums per token. Rank 0 puts them together (`token_measures`). They travel in a key-value store of
their own, so that the scoring threads have no part in the model's collective operations.
"""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

import torch

from inward_rewards.entropy.measures import TokenParts
from inward_rewards.entropy.wire import ASK_AGAIN, ScoreRequest
from inward_rewards.vllm_plugin.settings import Settings
from inward_rewards.vllm_plugin.worker import Collector, Job

logger = logging.getLogger("vllm.inward")

WAIT_S = 120.0
"""For the other ranks' parts, since a request was read: they read the same rows at the same time.
The client waits longer (`inward_rewards.hidden_states`), so that it hears which rank was silent."""
GRACE_S = 1.0
"""The same for a request that stood in line until then: its parts are there, or none come."""
PIECE_BYTES = 2**21
"""Of a value in the store, which takes 8 MB."""
REMEMBERED = 1024
"""Parts of requests that ended without them, which may come yet: the latest."""


class Store(Protocol):
    """What is used of `torch.distributed.TCPStore`."""

    def set(self, key: str, value: bytes) -> None: ...
    def get(self, key: str) -> bytes: ...
    def wait(self, keys: list[str], timeout: timedelta) -> None: ...
    def check(self, keys: list[str]) -> bool: ...
    def delete_key(self, key: str) -> bool: ...


def open_store(host: str) -> tuple[Store, int]:
    """(rank 0's store, its port): it listens on `host` alone, and not on every interface."""
    from torch.distributed import TCPStore

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, 0), family=family)
    port: int = listening.getsockname()[1]
    store: Store = TCPStore(
        *(host, port),
        is_master=True,
        wait_for_workers=False,
        use_libuv=False,  # which takes no socket that is open already in every version
        master_listen_fd=listening.detach(),
    )
    return store, port


def join_store(host: str, port: int) -> Store:
    """Another rank's view of it."""
    from torch.distributed import TCPStore

    store: Store = TCPStore(host, port, is_master=False, use_libuv=False)
    return store


def for_parts(settings: Settings) -> Settings:
    """What the ranks behind the first keep: final states alone."""
    return replace(settings, layers=())


class PartCollector(Collector):
    """Of a rank behind the first: what it finds goes to rank 0, and nobody asks it for answers."""

    def __init__(self, *args: Any, store: Store, rank: int) -> None:
        self._store, self._rank = store, rank
        super().__init__(*args)

    def _score(self, job: Job) -> dict[str, Any]:
        self._weights(job)
        parts = self._token_parts(job)
        return {"sums": [part.sums for part in parts], "vocabulary": parts[0].vocabulary}

    def _report(self, job: Job, answer: dict[str, Any]) -> None:
        # First the rows are free: once rank 0 answers, the scheduler takes them for the next one.
        super()._report(job, answer)
        self._send(job.request_id, answer)

    def refuse(self, request_id: str, error: Exception, request: ScoreRequest | None) -> None:
        super().refuse(request_id, error, request)
        # Rank 0 may have its rows back a moment earlier.
        self._send(request_id, {"error": f"{error}; {ASK_AGAIN}"})

    def _send(self, request_id: str, answer: dict[str, Any]) -> None:
        file = io.BytesIO()
        torch.save(answer, file)
        data, key = file.getvalue(), _key(request_id, self._rank)
        starts = range(0, len(data), PIECE_BYTES)
        try:
            for number, start in enumerate(starts):
                self._store.set(f"{key}/{number}", data[start : start + PIECE_BYTES])
            self._store.set(key, str(len(starts)).encode())
        except RuntimeError:  # rank 0 tells the client that this rank is silent
            logger.exception("inward: the part of request %s could not be given", request_id)


class ReceivedParts:
    """Rank 0's view of the other ranks.

    `sweeper` is a second connection to the store: the first is held while it waits.
    """

    def __init__(self, store: Store, sweeper: Store, ranks: int, vocabulary: int) -> None:
        self._store, self._ranks, self._vocabulary = store, range(1, ranks), vocabulary
        self._sweeper, self._sweeping = sweeper, threading.Lock()
        self._taken: set[str] = set()
        self._late: deque[str] = deque(maxlen=REMEMBERED)

    def of(
        self, request_id: str, own: Sequence[TokenParts], read_at: float
    ) -> list[list[TokenParts]]:
        """For each span the parts of all ranks, `own` first.

        Args:
            read_at: when the request's last row was read, of `time.monotonic`.

        ValueError: a rank failed or stays silent, or the parts are not the whole vocabulary.
        """
        self._sweep()
        spans = [[part] for part in own]
        for rank in self._ranks:
            sent = self._receive(request_id, rank, read_at + WAIT_S)
            for span, sums in zip(spans, sent["sums"], strict=True):
                span.append(TokenParts(sums, sent["vocabulary"]))
        found = sum(part.vocabulary for part in spans[0])
        if found != self._vocabulary:
            raise ValueError(
                f"the ranks hold {found} columns of an output layer of {self._vocabulary}: this "
                "model does not split it by the vocabulary"
            )
        return spans

    def end(self, request_id: str) -> None:
        """The request is answered, or given up: parts that were not taken are nobody's."""
        if len(self._late) + len(self._ranks) > REMEMBERED:
            self._sweep()  # what stays may never come, and the oldest of it is forgotten
        for rank in self._ranks:
            key = _key(request_id, rank)
            if key in self._taken:
                self._taken.remove(key)
            else:
                self._late.append(key)

    def _receive(self, request_id: str, rank: int, deadline: float) -> dict[str, Any]:
        key = _key(request_id, rank)
        left = min(WAIT_S, max(GRACE_S, deadline - time.monotonic()))
        try:
            self._store.wait([key], timedelta(seconds=left))
        except torch.distributed.DistStoreError as error:
            raise ValueError(
                f"tensor-parallel rank {rank} did not give its part of the vocabulary within "
                f"{WAIT_S:g} s: has its worker failed, or is it overloaded?"
            ) from error
        pieces = _pieces(self._store, key)
        data = io.BytesIO(b"".join(map(self._store.get, pieces)))
        _delete(self._store, key, pieces)
        self._taken.add(key)
        sent: dict[str, Any] = torch.load(data, weights_only=True)
        if "error" in sent:
            raise ValueError(f"tensor-parallel rank {rank}: {sent['error']}")
        return sent

    def _sweep(self) -> None:
        """Throw away what came for requests that ended without it."""
        with self._sweeping:
            for _ in range(len(self._late)):
                key = self._late.popleft()
                if self._sweeper.check([key]):
                    _delete(self._sweeper, key, _pieces(self._sweeper, key))
                else:
                    self._late.append(key)


def _key(request_id: str, rank: int) -> str:
    return f"{request_id}/{rank}"


def _pieces(store: Store, key: str) -> list[str]:
    return [f"{key}/{number}" for number in range(int(store.get(key)))]


def _delete(store: Store, key: str, pieces: Sequence[str]) -> None:
    for name in (*pieces, key):
        store.delete_key(name)
