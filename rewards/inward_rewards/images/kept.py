"""Work of a backend by all that it depends on: done once, kept in memory and on disk.

Everything runs on one event loop of its own, in a daemon thread: rollouts of any event loop, and
code that has none, come to the same work, and a program ends without waiting for a server.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from inward_rewards.charts.cache import Cache, digest
from inward_rewards.sandbox import Memo, Message, survives_forks

IN_MEMORY = 16
"""Results, of at most a few MB each."""


class Kept:
    """Asks for work under a key. Equal keys at the same time are worked out once; at most
    `concurrency` are in work at once. What raises is not kept.

    In `folder` (None: nowhere) an entry is written whole or not at all; one that cannot be read, or
    is damaged, is worked out anew, and a folder that cannot be used costs one warning.
    """

    def __init__(self, name: str, folder: Path | None, concurrency: int) -> None:
        self._name, self._concurrency = name, concurrency
        self._cache = None if folder is None else Cache(folder)
        self._memo: Memo[str, Message] = Memo(IN_MEMORY)
        survives_forks(self)
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        self._slots = asyncio.Semaphore(self._concurrency)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def ask(self, key: Mapping[str, Any], work: Callable[[], Awaitable[Message]]) -> Message:
        """What `work` gives, or gave, for `key`: JSON of all that its result depends on."""
        name = name_of(key)
        future = self._memo.ask(name, lambda: self._submit(self._get(name, work)))
        return await asyncio.wrap_future(future)

    async def _get(self, name: str, work: Callable[[], Awaitable[Message]]) -> Message:
        if (found := self._read(name)) is not None:
            return found
        async with self._slots:
            header, blobs = await work()
        if self._cache is None:
            return header, blobs
        # Another process may have been faster: its result is what a later run will read.
        if (found := self._read(name)) is not None:
            return found
        self._cache.put(name, ({"result": header, "sums": _sums(blobs)}, blobs))
        return header, blobs

    def _read(self, name: str) -> Message | None:
        return None if self._cache is None else read(self._cache, name)

    def _submit(self, work: Coroutine[Any, Any, Message]) -> Future[Message]:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                run = self._loop.run_forever
                threading.Thread(target=run, name=self._name, daemon=True).start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)


def name_of(key: Mapping[str, Any]) -> str:
    """The name under which the result for `key` is kept."""
    return digest(json.dumps(key, sort_keys=True))


def read(cache: Cache, name: str) -> Message | None:
    """The result of that name; None where there is none, or a damaged one."""
    match cache.get(name):
        case ({"result": dict(header), "sums": sums}, blobs) if sums == _sums(blobs):
            return header, blobs
    return None


def _sums(blobs: list[bytes]) -> list[str]:
    return [hashlib.sha256(blob).hexdigest() for blob in blobs]
