"""What the solver scores without advice: once per task, kept in memory and on disk."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
import os
import tempfile
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from inward_chat.downloads import cache_dir

VERSION = 2
"""Of how a baseline is measured."""

logger = logging.getLogger(__name__)


def key_of(
    task: vf.Task[Any, Any, Any],
    taskset: vf.TasksetConfig,
    solver: vf.AgentConfig,
    rollouts: int,
) -> str:
    """Of all that changes a baseline: the task with its scoring, the taskset's settings (its tools'
    too), the solver with its server, its sampling and its harness, and how many rollouts are
    averaged. Weights have no name but the model's: another model under the same name at the same
    address is not told apart."""
    parts = {
        "version": VERSION,
        "task": [type(task).__module__, type(task).__qualname__, task.hash],
        "taskset": taskset.model_dump(mode="json"),
        "scoring": task.config.model_dump(mode="json"),
        "solver": solver.model_dump(mode="json"),
        "rollouts": rollouts,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class Baselines:
    """A small file per task. Of two processes that measure at once, the first to write is believed
    by both. A cache that cannot be used costs one warning."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}
        self._warned = False

    async def get(self, key: str) -> float | None:
        if key not in self._known:
            kept = await asyncio.to_thread(self._read, key)
            if kept is not None:
                self._known[key] = kept
        return self._known.get(key)

    async def keep(self, key: str, value: float) -> float:
        """The value that all take from now on."""
        self._known[key] = await asyncio.to_thread(self._write, key, value)
        return self._known[key]

    def _path(self, key: str) -> Path:
        return cache_dir() / "advisor" / f"{key}.json"

    def _read(self, key: str) -> float | None:
        try:
            value = json.loads(self._path(key).read_text(encoding="utf-8"))["reward"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._warn(error)
            return None
        return value if isinstance(value, float) and math.isfinite(value) else None

    def _write(self, key: str, value: float) -> float:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=path.parent, delete=False
            ) as file:
                json.dump({"reward": value}, file)
            try:
                os.link(file.name, path)
            except FileExistsError:
                kept = self._read(key)
                if kept is not None:
                    return kept
                Path(file.name).replace(path)
            finally:
                Path(file.name).unlink(missing_ok=True)
        except OSError as error:
            self._warn(error)
        return value

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "the cache of baselines in %s cannot be used: %s. Each worker measures its own",
                cache_dir() / "advisor",
                error,
            )
