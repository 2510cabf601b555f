"""`inward serve` over environments of ours: many at once, and a tool server that is killed."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import verifiers.v1 as vf
from inward_chat.testing import PolicyServer
from inward_chat.verifiers_compat import EnvClient
from support.processes import workers as children

from inward import eval_plugin

MAIN = "from inward.cli import main; main()"
WAIT_S = 400
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@contextlib.asynccontextmanager
async def serve(*words):
    """The process of `inward serve`, and the client of it."""
    command = [sys.executable, "-c", MAIN, "serve", *words, "--address", "tcp://127.0.0.1:0"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    client = None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), WAIT_S)).decode()
        found = re.search(r"^serving .* at (tcp://127\.0\.0\.1:\d+)$", line)
        assert found, line + (await process.stderr.read()).decode()
        client = EnvClient(found[1])
        yield process, client
    finally:
        if client is not None:
            await client.close()
        process.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(process.communicate(), WAIT_S)
        assert process.returncode == 0, log.decode()


def descendants(pid):
    for child in children(pid):
        yield child
        yield from descendants(child)


def named(pid, name):
    with contextlib.suppress(OSError):
        return name in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


async def play(client, env, server, count):
    """As many episodes of its tasks; their results, or what was raised."""
    taskset = vf.load_taskset(vf.resolve_env_config(env).taskset)
    tasks = [task.data.model_dump(mode="json") for _, task in zip(range(count), taskset)]  # noqa: B905
    model = vf.EvalClientConfig(base_url=server.base_url)
    episodes = [
        client.run(
            client=model,
            model=server.model,
            sampling=vf.SamplingConfig(),
            task_data=tasks[place % len(tasks)],
        )
        for place in range(count)
    ]
    async with asyncio.timeout(WAIT_S):
        return await asyncio.gather(*episodes, return_exceptions=True)


def policy(env_id):
    plugin = eval_plugin.find(env_id)
    return next(iter(plugin.baselines.values()))(0)


async def test_128_searches_at_once_and_a_tool_server_that_is_killed():
    env = {"taskset": {"id": "quality-rag", "split": "sample"}}
    words = ["quality-rag", "--env.taskset.split", "sample", "--workers", "2"]
    answers, hold = policy("quality-rag"), threading.Event()

    async def held(body):
        while hold.is_set():  # noqa: ASYNC110 - set and cleared on another thread
            await asyncio.sleep(0.05)
        return answers(body)

    with PolicyServer(held) as server:
        async with serve(*words) as (process, client):
            everyone = await play(client, env, server, 128)
            assert [e.ok for e in everyone] == [True] * 128

            hold.set()
            playing = asyncio.create_task(play(client, env, server, 48))
            await asyncio.sleep(1.0)
            searches = [p for p in descendants(process.pid) if named(p, b"\0-m\0quality_rag")]
            assert searches
            os.kill(searches[0], signal.SIGKILL)
            hold.clear()
            ended = await playing
            failed = [str(e) for e in ended if isinstance(e, BaseException)]
            assert all("ended because its tool server had died" in text for text in failed)
            # Others have met the dead server first, or were done.
            named_failures = [e for e in ended if not isinstance(e, BaseException) and not e.ok]
            assert all(e.traces and e.traces[0].errors for e in named_failures)
            assert failed or named_failures

            await asyncio.sleep(8)
            again = await play(client, env, server, 16)
            assert [getattr(e, "ok", e) for e in again] == [True] * 16


async def test_pictures():
    env = {"taskset": {"id": "chart-spec"}}
    with PolicyServer(policy("chart-spec")) as server:
        async with serve("chart-spec", "--workers", "1") as (_, client):
            ended = await play(client, env, server, 4)
            assert [getattr(e, "ok", e) for e in ended] == [True] * 4
            assert all(e.traces[0].num_turns == 1 for e in ended)
