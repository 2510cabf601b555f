"""Published data files: fetched once, checked against a pinned hash, kept for the next start."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

from filelock import FileLock
from platformdirs import user_cache_dir

CACHE_DIR_VAR = "INWARD_CACHE_DIR"
"""Environment variable: where caches go, in place of the user's cache directory."""
HUB = "https://huggingface.co"
TIMEOUT_S = 60.0
"""Seconds without a byte."""

# verifiers shows the records of its own loggers only.
_log = logging.getLogger("verifiers.v1.inward_chat")
_given_up: set[Path] = set()
"""Folders that this process has warned of."""


class DataError(ValueError):
    """The data cannot be had or is not what it should be; the message names the mend."""


@dataclass(frozen=True)
class PinnedFile:
    """A published file, pinned by its content, whatever its address comes to give."""

    url: str
    digest: str
    """Hexadecimal."""
    kind: Literal["sha256", "git-blob"] = "sha256"
    """`git-blob`: the SHA-1 by which git names the content."""

    def digest_of(self, content: bytes) -> str:
        if self.kind == "sha256":
            return hashlib.sha256(content).hexdigest()
        header = b"blob %d\0" % len(content)
        return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def cache_dir() -> Path:
    """The folder of all caches, absolute: `INWARD_CACHE_DIR`, or the user's cache directory.

    The variable becomes absolute in the environment too, which child processes with another working
    directory inherit.
    """
    for name in (CACHE_DIR_VAR, "XDG_CACHE_HOME"):
        if value := os.environ.get(name):
            # Path.expanduser would raise for a user that is not known.
            os.environ[name] = os.path.abspath(os.path.expanduser(value))  # noqa: PTH100, PTH111
    return Path(os.environ.get(CACHE_DIR_VAR) or user_cache_dir("inward", appauthor=False))


# At the first import, before anybody can change the working directory.
cache_dir()


def fetch(file: PinnedFile, name: str, *, mend: str) -> bytes:
    """The content of `file`: from `name` under `cache_dir()`, or downloaded and put there.

    Checked every time. Of several processes one downloads and the others wait for it. A cache that
    cannot be used costs a warning. `DataError` names the address, what went wrong and `mend`: how
    else the file may be given.
    """
    path = cache_dir() / name
    content = _kept(file, path)
    if content is None:
        with _locked(path):
            content = _kept(file, path)
            if content is None:
                content = _download(file, mend)
                _keep(content, path)
    return content


def _kept(file: PinnedFile, path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if file.digest_of(content) == file.digest else None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """While one process downloads, others wait; where there is no locking, each downloads."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{path.name}.lock")).acquire()
    except OSError as error:
        _give_up(path.parent, error)
        yield
        return
    with lock:
        yield


def _keep(content: bytes, path: Path) -> None:
    part = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        _give_up(path.parent, error)


def _give_up(folder: Path, error: OSError) -> None:
    if folder not in _given_up:
        _given_up.add(folder)
        _log.warning(
            "cannot keep downloads in %s (%s): they are fetched anew at each start; point %s to a "
            "folder that can be written",
            folder, error, CACHE_DIR_VAR,
        )  # fmt: skip


def _download(file: PinnedFile, mend: str) -> bytes:
    import pooch  # what is in the cache needs none

    # As every client of the hub has it.
    url = file.url.replace(HUB, os.environ.get("HF_ENDPOINT") or HUB, 1)
    get = pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(), chunk_size=1 << 16, timeout=TIMEOUT_S
    )
    into = io.BytesIO()
    _log.info("downloading %s", url)
    try:
        get(url, into, None)
    except (OSError, ValueError) as error:  # those of requests are OSErrors
        reason = " ".join(str(error).split())[:300] or repr(error)
        raise DataError(
            f"cannot download {url!r}: {reason}; check the network, or {mend}"
        ) from error
    content = into.getvalue()
    if (got := file.digest_of(content)) != file.digest:
        raise DataError(
            f"{url!r} gave {len(content)} bytes with {file.kind} hash {got}, but {file.digest}"
            f" is pinned: the download was cut short or the file was changed; try again, or {mend}"
        )
    return content
