"""Indexes on disk: built once by one process, mapped into memory by all.

An entry is a folder of `.npy` files and a manifest, named after what it holds and a hash of all
that its content depends on. It is written under another name, the manifest last, and renamed when
whole. What is damaged or not ours is built again, with one warning.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import xxhash
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from platformdirs import user_cache_dir

CACHE_DIR_VAR = "INWARD_CACHE_DIR"
"""Environment variable: where caches go, in place of the user's cache directory."""
MANIFEST = "manifest.json"
LOCKS = ".locks"
_LIBRARY = ".".join(version("inward-retrieval").split(".")[:2])
"""Part of every key: major version, and minor while it is 0."""
_log = logging.getLogger("inward_retrieval")

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Entry:
    """One index in the cache."""

    name: str
    """Kind and hash."""
    size: int
    """Bytes."""
    created: float
    """Seconds since the epoch."""
    key: Mapping[str, object]


class IndexCache:
    """A folder of indexes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def default(cls) -> IndexCache:
        """Under `INWARD_CACHE_DIR`, or else the user's cache directory."""
        base = os.environ.get(CACHE_DIR_VAR) or user_cache_dir("inward", appauthor=False)
        return cls(Path(base) / "retrieval")

    def load_or_build(
        self, kind: str, key: Mapping[str, object], build: Callable[[], Arrays]
    ) -> Arrays:
        """The arrays of `kind` and `key`, read-only: from the cache, or built and put there.

        While one process builds, others that want the same wait for it.
        """
        key = {"kind": kind, "library": _LIBRARY, **key}
        entry = self.root / f"{kind}-{_digest(key)}"
        arrays, _ = _read(entry, key)
        if arrays is not None:
            return arrays
        with self._lock(entry.name):
            arrays, damage = _read(entry, key)
            if arrays is not None:
                return arrays
            if damage:
                _log.warning("index cache: %s: %s; building it again", entry, damage)
            _write(entry, key, build())
            arrays, damage = _read(entry, key)
        if arrays is None:
            raise OSError(
                f"index cache: {entry} was written and cannot be read back ({damage}): check the "
                f"disk, or point {CACHE_DIR_VAR} elsewhere"
            )
        return arrays

    def entries(self) -> list[Entry]:
        """What is in the cache, by name; what has no readable manifest counts with an empty key."""
        if not self.root.is_dir():
            return []
        return [_describe(path) for path in sorted(self.root.iterdir()) if path.name != LOCKS]

    def clear(self) -> tuple[list[Entry], list[Entry]]:
        """Removes all entries but those being built now. Returns (removed, left)."""
        removed, left = [], []
        for entry in self.entries():
            try:
                with self._lock(entry.name.split(".")[0], timeout=0):
                    _remove(self.root / entry.name)
                removed.append(entry)
            except Timeout:
                left.append(entry)
        return removed, left

    def _lock(self, name: str, timeout: float = -1) -> FileLock:
        locks = self.root / LOCKS
        try:
            locks.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(
                f"index cache: cannot write to {self.root} ({error}): point {CACHE_DIR_VAR} to a "
                "folder that can be written, or set cache to false"
            ) from error
        return FileLock(locks / f"{name}.lock", timeout=timeout)


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
    """(arrays, "") or (None, what is wrong), the latter "" where there is no entry at all."""
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
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        return None, f"it cannot be read ({error!r})"


def _write(entry: Path, key: Mapping[str, object], arrays: Arrays) -> None:
    """Under the lock of `entry`."""
    for rest in entry.parent.glob(f"{entry.name}.*"):
        _remove(rest)  # of a process that died at this point
    folder = Path(mkdtemp(prefix=f"{entry.name}.", dir=entry.parent))
    for name, array in arrays.items():
        with (folder / f"{name}.npy").open("wb") as file:
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)
            _flush(file)
    manifest = {
        "key": key,
        "created": time.time(),
        "arrays": {name: _checksum(np.ascontiguousarray(array)) for name, array in arrays.items()},
    }
    with (folder / MANIFEST).open("w") as file:
        json.dump(manifest, file, indent=1)
        _flush(file)
    _remove(entry)
    folder.rename(entry)


def _flush(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def _checksum(array: NDArray[Any]) -> str:
    digest = xxhash.xxh3_64(f"{array.dtype} {array.shape}".encode())
    digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _describe(path: Path) -> Entry:
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
        key, created = dict(manifest["key"]), float(manifest["created"])
    except (OSError, ValueError, KeyError, TypeError):
        key, created = {}, path.lstat().st_mtime
    files = path.iterdir() if path.is_dir() else [path]
    return Entry(path.name, sum(file.lstat().st_size for file in files), created, key)
