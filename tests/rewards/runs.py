"""Real runs of an environment: by verifiers' commands, or in this process by what they call."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from verifiers.v1.env import RunSlot
from verifiers.v1.utils.loaders import load_environment, resolve_env_config
from verifiers.v1.utils.trace_store import append_episode

BIN = Path(sys.executable).parent


def command(folder: Path, name: str, *arguments: str, timeout: float = 800) -> str:
    """Run one of verifiers' commands in `folder`, whose modules it finds; what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [str(BIN / name), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def episodes(run: Path) -> list[dict[str, Any]]:
    """What a run left, in task order."""
    lines = (run / "traces.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return sorted(found, key=lambda episode: episode["task"]["data"]["idx"])


async def play(
    run: Path, env: dict[str, Any], client: vf.ClientConfig, *, tasks: int, concurrent: int = 8
) -> list[dict[str, Any]]:
    """What `vf-eval` does between its command line and its report, with the same files."""
    environment = load_environment(resolve_env_config(env))
    context = vf.ModelContext(model="tiny", client=client)
    bound, lock = asyncio.Semaphore(concurrent), asyncio.Lock()
    run.mkdir(parents=True)  # noqa: ASYNC240 - before anything runs

    async def keep(episode: vf.Episode) -> None:
        await append_episode(run, episode, lock)

    async with environment.serving():
        slots = [RunSlot(task) for task in environment.taskset.take(tasks)]
        await asyncio.gather(*(environment.run_slot(slot, context, bound, keep) for slot in slots))
    return episodes(run)
