"""Finished work in a folder, by the hash of all it depends on."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import warnings
from pathlib import Path

from inward_rewards.sandbox import Message, pack, unpack


def digest(*parts: str | bytes) -> str:
    """SHA-256 of the parts, unambiguous in how they are joined."""
    total = hashlib.sha256()
    for part in parts:
        # Half a surrogate pair is legal in a Python string.
        data = part if isinstance(part, bytes) else part.encode(errors="surrogatepass")
        total.update(f"{type(part).__name__} {len(data)} ".encode() + data)
    return total.hexdigest()


class Cache:
    """Safe under concurrent threads and processes: entries are written whole or not at all.

    It saves work and never ends it: what cannot be read or written costs one warning.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._warned = False

    def get(self, key: str) -> Message | None:
        path = self._path(key)
        try:
            return unpack(io.BytesIO(path.read_bytes()).read)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            self._warn(f"the cache entry {path} is worked out anew: it cannot be read ({error})")
            return None

    def put(self, key: str, message: Message) -> None:
        path = self._path(key)
        part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                part.write_bytes(pack(message[0], *message[1]))
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            self._warn(f"nothing is kept in {self.folder}: {error}")

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]

    def _warn(self, text: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(f"chart cache: {text}", RuntimeWarning, stacklevel=2)
