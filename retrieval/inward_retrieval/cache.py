"""Indexes on disk: built once by one process, mapped into memory by all.

An entry is a folder of `.npy` files and a manifest, named after what it holds and a hash of all
that its content depends on. It is written under another name, the manifest last, and renamed when
whole. What is damaged is built again, with one warning. A cache that cannot be used costs one
warning too, and no more: indexes are then built in memory.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import xxhash
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from inward_retrieval.cache_dir import CACHE_DIR_VAR, cache_dir

__all__ = ["CACHE_DIR_VAR", "Arrays", "Entry", "IndexCache", "corpus_digest"]

MANIFEST = "manifest.json"
LOCKS = ".locks"
MARKER = ".inward-index-cache"
"""A file in every folder that indexes were written to: nothing is cleared elsewhere."""
_NAME = re.compile(r"[a-z0-9]+-[0-9a-f]{32}(\.[0-9a-z_]+)?")
"""Kind, hash, and while it is written a suffix."""
_LIBRARY = ".".join(version("inward-retrieval").split(".")[:2])
"""Part of every key: major version, and minor while it is 0."""
_log = logging.getLogger("inward_retrieval")
_given_up: set[Path] = set()
"""Folders that this process has warned of."""

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Entry:
    """One index in the cache, or what else lies there."""

    name: str
    """Kind and hash."""
    size: int
    """Bytes."""
    created: float
    """Seconds since the epoch."""
    key: Mapping[str, object]
    foreign: bool = False
    """Not ours by its name, or in a folder that no index was written to: never removed."""


class IndexCache:
    """A folder of indexes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def default(cls) -> IndexCache:
        """Under `INWARD_CACHE_DIR`, or else the user's cache directory."""
        return cls(cache_dir() / "retrieval")

    def load_or_build(
        self, kind: str, key: Mapping[str, object], build: Callable[[], Arrays]
    ) -> Arrays:
        """The arrays of `kind` and `key`: from the cache, or built and put there.

        While one process builds, others that want the same wait for it. Where the folder cannot be
        used (full, read-only, somebody else's, no folder, no locks), they are built and not kept.
        """
        key = {"kind": kind, "library": _LIBRARY, **key}
        entry = self.root / f"{kind}-{_digest(key)}"
        try:
            arrays, _ = _read(entry, key)
            if arrays is not None:
                return arrays
            lock = self._lock(entry.name).acquire()
        except OSError as error:
            self._give_up(error)
            return build()
        with lock:
            arrays, damage = _read(entry, key)
            if arrays is not None:
                return arrays
            if damage and self.root not in _given_up:
                _log.warning("index cache: %s: %s; building it again", entry, damage)
            built = build()
            try:
                _write(entry, key, built)
                arrays, damage = _read(entry, key)
                if arrays is None:
                    raise OSError(f"{entry.name} was written and cannot be read back: {damage}")
            except OSError as error:
                self._give_up(error)
                return built
        return arrays

    def entries(self) -> list[Entry]:
        """What is in the cache, by name; what has no readable manifest counts with an empty key.

        Others may write and remove meanwhile. OSError where the folder cannot be read.
        """
        try:
            paths = sorted(path for path in self.root.iterdir() if path.name not in (LOCKS, MARKER))
        except FileNotFoundError:
            return []
        marked = (self.root / MARKER).is_file()
        described = (_describe(path, marked) for path in paths)
        return [entry for entry in described if entry is not None]

    def clear(self) -> tuple[list[Entry], list[Entry]]:
        """Removes all indexes but those being built now. Returns (removed, left); what is foreign
        is left."""
        removed, left = [], []
        for entry in self.entries():
            gone = not entry.foreign and self._remove(entry)
            (removed if gone else left).append(entry)
        return removed, left

    def _remove(self, entry: Entry) -> bool:
        try:
            with self._lock(entry.name.split(".")[0], timeout=0):
                _remove(self.root / entry.name)
        except Timeout:
            return False
        except OSError as error:
            _log.warning("index cache: cannot remove %s: %s", self.root / entry.name, error)
            return False
        return True

    def _lock(self, name: str, timeout: float = -1) -> FileLock:
        locks = self.root / LOCKS
        locks.mkdir(parents=True, exist_ok=True)
        marker = self.root / MARKER
        if not marker.exists():
            marker.write_text("Indexes of inward-retrieval: `inward cache clear` removes them.\n")
        return FileLock(locks / f"{name}.lock", timeout=timeout)

    def _give_up(self, error: OSError) -> None:
        if self.root not in _given_up:
            _given_up.add(self.root)
            _log.warning(
                "index cache: cannot use %s (%s): indexes are built in memory and not kept; point "
                "%s to a folder that can be written, or set cache to false",
                self.root, error, CACHE_DIR_VAR,
            )  # fmt: skip


def corpus_digest(documents: Mapping[str, str]) -> str:
    """A hash of ids, texts and their order."""
    digest = xxhash.xxh3_128()
    for document_id, text in documents.items():
        for part in (document_id, text):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "little"))
            digest.update(data)
    return digest.hexdigest()


def _digest(key: Mapping[str, object]) -> str:
    return xxhash.xxh3_128_hexdigest(json.dumps(key, sort_keys=True).encode())


def _read(entry: Path, key: Mapping[str, object]) -> tuple[Arrays | None, str]:
    """(arrays, "") or (None, what is wrong), the latter "" where there is no entry at all.
    PermissionError where it is not for us to read, nor to build again."""
    if not os.path.lexists(entry):
        return None, ""
    try:
        manifest = json.loads((entry / MANIFEST).read_bytes())
        if manifest["key"] != json.loads(json.dumps(key)):
            return None, "it holds another index"
        arrays = {}
        for name, checksum in manifest["arrays"].items():
            mapped = np.load(entry / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            arrays[name] = mapped.view(np.ndarray)  # slices cost a third of a memmap's
            if _checksum(arrays[name]) != checksum:
                return None, f"{name}.npy is damaged"
        return arrays, ""
    except PermissionError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        return None, f"it cannot be read ({error!r})"


def _write(entry: Path, key: Mapping[str, object], arrays: Arrays) -> None:
    """Under the lock of `entry`."""
    for rest in entry.parent.glob(f"{entry.name}.*"):
        _remove(rest)  # of a process that died at this point
    folder = entry.with_name(f"{entry.name}.{uuid4().hex}")  # mkdtemp's would be ours alone to read
    folder.mkdir()
    try:
        for name, array in arrays.items():
            with (folder / f"{name}.npy").open("wb") as file:
                np.save(file, np.ascontiguousarray(array), allow_pickle=False)
                _flush(file)
        sums = {name: _checksum(np.ascontiguousarray(array)) for name, array in arrays.items()}
        with (folder / MANIFEST).open("w") as file:
            json.dump({"key": key, "created": time.time(), "arrays": sums}, file, indent=1)
            _flush(file)
        _remove(entry)
        folder.rename(entry)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _flush(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def _checksum(array: NDArray[Any]) -> str:
    digest = xxhash.xxh3_64(f"{array.dtype} {array.shape}".encode())
    digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        with suppress(FileNotFoundError):  # another process was faster
            shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _describe(path: Path, marked: bool) -> Entry | None:
    """The entry, or None where it is gone already."""
    foreign = not (marked and _NAME.fullmatch(path.name))
    try:
        created = path.lstat().st_mtime
        files = list(path.iterdir()) if path.is_dir() and not path.is_symlink() else [path]
        size = sum(file.lstat().st_size for file in files)
    except FileNotFoundError:
        return None
    except PermissionError:
        size = 0
    key: dict[str, object] = {}
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
        key, created = dict(manifest["key"]), float(manifest["created"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return Entry(path.name, size, created, key, foreign)
