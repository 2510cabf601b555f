"""Rollouts of an environment in this process, by what `vf-eval` calls."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from inward_chat.testing import PolicyServer
from support.runs import call, episodes
from verifiers.v1.env import RunSlot
from verifiers.v1.utils.loaders import load_environment, resolve_env_config
from verifiers.v1.utils.trace_store import append_episode


def in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Episodes by the position of their task."""
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
    return in_order(episodes(run))


def run_judged(
    folder: Path, taskset: str, judge: str, server: PolicyServer, *args: str
) -> list[dict[str, Any]]:
    """The traces of `taskset` by `vf-eval`, with one judge more; `judge`: its lines of TOML."""
    (folder / "run.toml").write_text(
        f'[env.taskset]\nid = "{taskset}"\n[[env.taskset.task.judges]]\n{judge}\n'
    )
    done = call(
        *("vf-eval", "@", "run.toml", "--no-rich", "--no-push", "--run.name", "run"),
        *("-m", "policy", "--client.base-url", server.base_url, *args),
        *("--env.agent.harness.id", "inward-chat"),
        *("--env.agent.runtime.type", "subprocess"),
        cwd=folder,
    )
    assert done.code == 0, done.err
    found = in_order(episodes(folder / "outputs" / "run"))
    return [trace for episode in found for trace in episode["traces"]]
