"""Env servers for tests: a broker of copy-letter in this process, with real worker processes, and
the process of `inward serve`."""

import asyncio
import contextlib
import re
import signal
import subprocess
import sys

import verifiers.v1 as vf
from inward_chat.testing import PolicyServer
from inward_chat.verifiers_compat import EnvClient
from inward_training.env_server import Broker
from training.conftest import COPY_LETTER

LETTERS = "abcdefgh"
ANSWER_S = 240
"""By then every episode has ended, or the test fails."""
MAIN = "from inward.cli import main; main()"
WAIT_S = 400
"""The same of an environment of ours."""


async def until(true):
    async with asyncio.timeout(ANSWER_S):
        while not true():  # noqa: ASYNC110 - what is looked at is in several places
            await asyncio.sleep(0.05)


class Policy:
    """Says the right letter; while it is shut, nothing."""

    def __init__(self):
        self.open = asyncio.Event()
        self.asked = 0

    async def __call__(self, body):
        loop = asyncio.get_running_loop()
        self.asked += 1
        if not self.open.is_set():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.open.wait(), self.home))
        assert loop is not self.home
        return {"content": str(body["messages"][-1]["content"])[-1]}

    async def was_asked(self, times):
        await until(lambda: self.asked >= times)


@contextlib.asynccontextmanager
async def serving(env=COPY_LETTER, **options):
    """A broker that serves, and verifiers' client of it."""
    config = vf.resolve_env_config(env).model_dump(mode="json")
    broker = Broker(config, "tcp://127.0.0.1:0", **{"workers": 1, **options})
    ready = asyncio.Event()
    task = asyncio.create_task(broker.run(ready.set))
    client = EnvClient(broker.address)
    try:
        async with asyncio.timeout(ANSWER_S):
            await ready.wait()
        yield broker, client
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await client.close()


def run(client, policy, row):
    """The task of an episode, which has begun."""
    model = vf.EvalClientConfig(base_url=policy.base_url)
    episode = client.run(client=model, model="m", sampling=vf.SamplingConfig(), task_data=row)
    return asyncio.ensure_future(episode)


def play(client, policy, count):
    """Tasks of as many episodes, which have begun."""
    letters = (LETTERS[i % 8] for i in range(count))
    rows = [{"idx": i, "prompt": f"Say {a}", "letter": a} for i, a in enumerate(letters)]
    return [run(client, policy, row) for row in rows]


async def ends(episodes):
    """The rewards of those that were done, and the failures of the others."""
    async with asyncio.timeout(ANSWER_S):
        ended = await asyncio.gather(*episodes, return_exceptions=True)
    done = [e.traces[0].reward for e in ended if not isinstance(e, BaseException)]
    return done, [str(e) for e in ended if isinstance(e, BaseException)]


def all_up(broker, count):
    return sum(player.up for player in broker._players) == count


def processes(broker):
    return [player.process.pid for player in broker._players]


@contextlib.asynccontextmanager
async def served_policy():
    policy = Policy()
    policy.home = asyncio.get_running_loop()
    with PolicyServer(policy) as server:
        policy.base_url = server.base_url
        yield policy
        policy.open.set()


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


def outcome(ended):
    """Of an episode: ok, or its failure by name."""
    if isinstance(ended, BaseException):
        return str(ended)
    errors = [*ended.errors, *(e for trace in ended.traces for e in trace.errors)]
    return "ok" if ended.ok else f"{errors[-1].type}: {errors[-1].message}"
