"""`inward serve` over environments of ours: many at once, whole groups, peers, and rollouts for a
trainer; a tool server and renderers that are killed."""

import asyncio
import contextlib
import os
import signal
import threading
from pathlib import Path

import pytest
import verifiers.v1 as vf
from inward_chat.testing import PolicyServer
from inward_training import RemoteRollouts
from support.processes import workers as children
from training.env_servers import WAIT_S, ends, outcome, serve, served_policy, serving, until
from training.test_command import serve_rollouts

from inward import eval_plugin
from training import env_servers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


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


async def test_groups_of_an_environment_that_plays_them_itself():
    env = {"taskset": {"id": "math500-entropy", "split": "sample"}}
    words = ["--env.taskset.split", "sample", "--env.taskset.task.mode", "current"]
    asked, everyone = [], 6 * 4

    async def guess(body):
        asked.append(body)
        while len(asked) < everyone:  # noqa: ASYNC110 - all are played at once, or none ends
            await asyncio.sleep(0.05)
        return {"content": "<think>Guess.</think><answer>3</answer>"}

    with PolicyServer(guess) as server:
        group = ["--env.group", "4", "--workers", "2"]
        async with serve("math500-entropy", *words, *group) as (_, client):
            ended = await play(client, env, server, 6)
    assert [outcome(e) for e in ended] == ["ok"] * 6
    assert [len(e.traces) for e in ended] == [4] * 6
    assert len({trace.id for e in ended for trace in e.traces}) == everyone
    assert all(trace.rewards["format"].score == 0.2 for e in ended for trace in e.traces)


class Tracer:
    """`chart-spec`'s tracing baseline, which writes the same chart otherwise in every round: what
    is known is not drawn again."""

    def __init__(self):
        self.trace, self.round, self.asked = policy("chart-spec"), 0, 0

    def __call__(self, body):
        text = self.trace(body)["content"].replace("{", "{" + " " * self.round, 1)
        self.asked += 1
        return {"content": text}

    def begin(self):
        self.round, self.asked = self.round + 1, 0


CHARTS = 4


@contextlib.asynccontextmanager
async def charts():
    """(pid of the server, the policy, `begin`): `begin()` is the task of a round of charts."""
    tracer, env = Tracer(), {"taskset": {"id": "chart-spec"}}
    with PolicyServer(tracer) as server:
        async with serve("chart-spec", "--workers", "1") as (process, client):

            def begin():
                tracer.begin()
                return asyncio.create_task(play(client, env, server, CHARTS))

            yield process.pid, tracer, begin


def rewards(ended):
    """Of episodes that are all whole."""
    assert [outcome(e) for e in ended] == ["ok"] * CHARTS
    return [e.traces[0].reward for e in ended]


def templates(server):
    """The processes that renderers are forked from."""
    return [
        pid
        for pid in descendants(server)
        if named(pid, b"inward_rewards.charts.worker") and children(pid)
    ]


def renderers(server):
    return [child for pid in templates(server) for child in children(pid)]


def signalled(pids, number):
    """How many were there to be told."""
    told = 0
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            told += 1
    return told


@pytest.mark.parametrize("killed", [renderers, templates])
async def test_a_renderer_that_is_killed_at_work_is_not_noticed(killed):
    async with charts() as (server, tracer, begin):
        expected = rewards(await begin())
        assert max(expected) > 0
        playing, stopped = begin(), 0
        while tracer.asked < CHARTS and not playing.done():
            stopped += signalled(renderers(server), signal.SIGSTOP)
            await asyncio.sleep(0.02)
        for _ in range(40):
            stopped += signalled(renderers(server), signal.SIGSTOP)
            await asyncio.sleep(0.05)
        assert stopped
        assert not playing.done()  # a renderer that stands still has a chart in hand
        assert signalled(killed(server), signal.SIGKILL)
        assert rewards(await playing) == expected
        assert rewards(await begin()) == expected


async def test_renderers_that_are_killed_again_and_again_cost_no_reward():
    async with charts() as (server, _, begin):
        expected = rewards(await begin())
        playing, kills = begin(), 0
        while not playing.done():
            kills += signalled(renderers(server), signal.SIGKILL)
            await asyncio.sleep(0.005)
        assert kills
        ended = await playing
        assert not [e for e in ended if isinstance(e, BaseException)]
        for one, reward in zip(ended, expected, strict=True):
            if one.ok:
                assert one.traces[0].reward == reward
            else:
                assert "were killed from outside by SIGKILL" in outcome(one)
                assert not any(one.traces[0].rewards.values())
        assert rewards(await begin()) == expected


async def test_two_servers_behind_one_address():
    async with served_policy() as policy, serving() as (one, _), serving() as (two, _):
        peers = ["--peer", one.address, "--peer", two.address]
        async with serve("copy-letter", "--workers", "0", *peers, "--hung", "5") as (_, client):
            episodes, held = [], [0, 0]
            # The first to answer may have them all, until the other has.
            while len(episodes) < 6 or not all(held):
                episodes += env_servers.play(client, policy, 1)
                await policy.was_asked(len(episodes))
                held = [len(player.held) for broker in (one, two) for player in broker._players]
            for task in two._tasks:  # it answers no more, and says no word of it
                task.cancel()
            policy.open.set()
            done, failed = await ends(episodes)
            assert done == [1.0] * held[0]
            said = f"EnvWorkerLost: the env server at {two.address} has said nothing for 5 s"
            assert failed == [said] * held[1]
            assert await ends(env_servers.play(client, policy, 4)) == ([1.0] * 4, [])


async def test_a_trainer_plays_rollouts_that_a_server_plays(engine, tokenizer):
    words = ["quality-rag", "--env.taskset.split", "sample"]
    env = vf.resolve_env_config({"taskset": {"id": "quality-rag", "split": "sample"}})
    task = next(iter(vf.load_taskset(env.taskset)))
    search = '<tool_call>\n{"name": "search", "arguments": {"query": "who"}}\n</tool_call>'

    playing, asked = threading.Event(), []
    playing.set()

    def reply(text):
        asked.append(text)
        playing.wait(WAIT_S)
        return f"Answer: {task.data.gold}" if "<tool_response>" in text else search

    model = ["-m", "tiny", "--client.base-url", engine(reply), "--client.renderer.name", "qwen3"]
    model += ["--client.renderer-model-name", str(tokenizer)]
    async with (
        serve(*words, "--workers", "1") as (server, client),
        serve_rollouts(*words, *model, "--server", client.address) as url,
        RemoteRollouts(url) as rollouts,
    ):
        [group] = [g async for g in rollouts.play([0], group_size=2)]
        assert not group.failures
        assert [s.reward for s in group.samples] == [1.0] * 2
        for sample in group.samples:
            # Search, what it found, answer.
            assert (sample.loss_mask[0], sample.loss_mask[-1]) == (True, True)
            assert not all(sample.loss_mask)

        # What its worker held is lost by name: it was the server that played.
        playing.clear()
        lost = asyncio.ensure_future(anext(rollouts.play([0], group_size=2)))
        await until(lambda: len(asked) > 4)
        [worker] = [w for child in children(server.pid) for w in children(child)]
        os.kill(worker, signal.SIGKILL)
        group = await asyncio.wait_for(lost, WAIT_S)
        playing.set()
        assert {failure.cause for failure in group.failures} == {"EnvWorkerLost"}
        assert (group.samples, group.lost) == ((), 2)
