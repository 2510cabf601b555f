"""Finished work by the hash of all it depends on: in memory, and in a folder where one is given."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from .errors import RendererDown
from .frames import Message, pack, unpack

ResultT = TypeVar("ResultT")

MEMORY_ENTRIES = 512


def digest(*parts: str | bytes) -> str:
    """SHA-256 of the parts, unambiguous in how they are joined."""
    total = hashlib.sha256()
    for part in parts:
        # Half a surrogate pair is legal in a Python string.
        data = part if isinstance(part, bytes) else part.encode(errors="surrogatepass")
        total.update(f"{type(part).__name__} {len(data)} ".encode() + data)
    return total.hexdigest()


class Cache(Generic[ResultT]):
    """Safe under concurrent threads and processes: entries are written whole or not at all.

    `read` makes of a worker's message what is kept in memory and given out.
    """

    def __init__(self, folder: Path | None, read: Callable[[Message], ResultT]) -> None:
        self.folder, self.read = folder, read
        self._recent: OrderedDict[str, ResultT] = OrderedDict()
        self._lock = threading.Lock()

    def recent(self, key: str) -> ResultT | None:
        """The entry, where memory has it. Never waits."""
        with self._lock:
            if key in self._recent:
                self._recent.move_to_end(key)
                return self._recent[key]
        return None

    def stored(self, key: str) -> ResultT | None:
        """The entry, where the folder has it. Reads a file."""
        if self.folder is None:
            return None
        try:
            data = self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        try:
            message = unpack(io.BytesIO(data).read)
        except ValueError as error:
            raise RendererDown(
                f"the cache entry {self._path(key)} is broken ({error}): delete it"
            ) from error
        return self._remember(key, self.read(message))

    def put(self, key: str, message: Message) -> ResultT:
        if self.folder is not None:
            path = self._path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".")
            with os.fdopen(descriptor, "wb") as file:
                file.write(pack(message[0], *message[1]))
            Path(name).replace(path)
        return self._remember(key, self.read(message))

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / key[2:]

    def _remember(self, key: str, result: ResultT) -> ResultT:
        with self._lock:
            self._recent[key] = result
            self._recent.move_to_end(key)
            while len(self._recent) > MEMORY_ENTRIES:
                self._recent.popitem(last=False)
        return result
