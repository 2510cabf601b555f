"""The env server under kills: real worker processes, verifiers' own client."""

import asyncio
import contextlib
import os
import signal
import threading

import pytest
import verifiers.v1 as vf
from inward_training import RolloutsError
from inward_training.env_server import Broker
from inward_training.env_server import client as client_module
from training.conftest import COPY_LETTER
from training.env_servers import (
    ANSWER_S,
    all_up,
    ends,
    play,
    processes,
    served_policy,
    serving,
    until,
)


@pytest.fixture
async def policy():
    async with served_policy() as policy:
        yield policy


async def test_what_a_killed_worker_held_fails_by_name_and_another_plays_on(policy):
    async with serving(workers=2) as (broker, client):
        await until(lambda: all_up(broker, 2))
        episodes = play(client, policy, 12)
        await policy.was_asked(12)
        killed = processes(broker)[0]
        os.kill(killed, signal.SIGKILL)
        # At once, not when the others are done.
        await until(lambda: sum(e.done() for e in episodes) == 6)
        policy.open.set()
        done, failed = await ends(episodes)
        assert done == [1.0] * 6
        assert set(failed) == {
            f"EnvWorkerLost: env worker {killed} was killed by SIGKILL"
            " (by hand, or for want of memory)"
        }
        assert len(failed) == 6
        await until(lambda: all_up(broker, 2))
        assert await ends(play(client, policy, 8)) == ([1.0] * 8, [])


@pytest.mark.slow
async def test_a_worker_that_hangs_is_killed(policy):
    async with serving(hung=2.0) as (broker, client):
        episodes = play(client, policy, 2)
        await policy.was_asked(2)
        os.kill(processes(broker)[0], signal.SIGSTOP)
        done, failed = await ends(episodes)
        assert (done, len(failed)) == ([], 2)
        assert "was killed by SIGKILL" in failed[0]


@pytest.mark.slow
async def test_an_engine_that_hangs_ends_the_episode_and_nothing_else(policy):
    async with serving(silence=1.0) as (broker, client):
        worker = processes(broker)
        done, failed = await ends(play(client, policy, 2))
        assert (done, len(failed)) == ([], 2)
        assert "EpisodeSilent: no turn and no new phase for 1 s at env worker" in failed[0]
        policy.open.set()
        assert await ends(play(client, policy, 2)) == ([1.0] * 2, [])
        assert processes(broker) == worker


@pytest.mark.slow
async def test_more_than_have_a_place_wait_and_their_time_does_not_count(policy):
    async with serving(max_concurrent=1, silence=3.0) as (_, client):
        episodes = play(client, policy, 3)
        await policy.was_asked(1)
        await asyncio.sleep(1.0)
        assert policy.asked == 1
        policy.open.set()
        assert await ends(episodes) == ([1.0] * 3, [])


async def test_one_that_is_told_to_end_tells_who_waits(policy):
    async with serving() as (broker, client):
        episodes = play(client, policy, 2)
        await policy.was_asked(2)
        [worker] = processes(broker)
        [serve] = [t for t in asyncio.all_tasks() if "Broker.run" in str(t.get_coro())]
        serve.cancel()
        done, failed = await ends(episodes)
        assert done == []
        assert set(failed) == {"EnvServerEnded: the env server was told to end"}
        with contextlib.suppress(asyncio.CancelledError):
            await serve
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


@pytest.mark.slow
async def test_a_client_that_cancels_frees_the_place(policy):
    async with serving(max_concurrent=1) as (broker, client):
        first, second = play(client, policy, 2)
        await policy.was_asked(1)
        second.cancel()
        first.cancel()
        await until(lambda: not broker._waiting and not broker._players[0].held)
        policy.open.set()
        assert await ends(play(client, policy, 1)) == ([1.0], [])


@pytest.mark.slow
async def test_two_servers_behind_one_address(policy):
    async with (
        serving() as (one, _),
        serving() as (two, _),
        serving(workers=0, peers=(one.address, two.address), hung=3.0) as (front, client),
    ):
        await until(lambda: all_up(front, 2))
        episodes = play(client, policy, 6)
        await policy.was_asked(6)
        assert [len(p.held) for p in (*one._players, *two._players)] == [3, 3]
        # The second falls silent, with its machine: it no longer answers, and says no word of it.
        for task in two._tasks:
            task.cancel()
        policy.open.set()
        done, failed = await ends(episodes)
        assert done == [1.0] * 3
        said = f"EnvWorkerLost: the env server at {two.address} has said nothing for 3 s"
        assert failed == [said] * 3
        assert await ends(play(client, policy, 4)) == ([1.0] * 4, [])


@pytest.mark.slow
async def test_rollouts_are_played_by_a_server(engine, make):
    shut = threading.Event()

    def reply(text):
        if "Say b" in text:
            shut.wait(ANSWER_S)
        return "a"

    async with (
        serving() as (broker, _),
        make(engine(reply), server=broker.address) as rollouts,
    ):
        [group] = [g async for g in rollouts.play([0], group_size=2)]
        assert [s.reward for s in group.samples] == [1.0, 1.0]
        assert all(s.completion_ids for s in group.samples)
        lost = asyncio.ensure_future(anext(rollouts.play([1], group_size=2)))
        await until(lambda: sum(len(p.held) for p in broker._players) == 2)
        os.kill(processes(broker)[0], signal.SIGKILL)
        group = await asyncio.wait_for(lost, ANSWER_S)
        shut.set()
        assert (group.samples, group.lost) == ((), 2)
        assert {f.cause for f in group.failures} == {"EnvWorkerLost"}
        assert rollouts.failures == {"EnvWorkerLost": 2}


async def test_no_server_is_told(make, monkeypatch):
    monkeypatch.setattr(client_module, "GIVEN_UP_AFTER", 1)
    monkeypatch.setattr(client_module, "PROBE_S", 0.2)
    with pytest.raises(RolloutsError, match=r"no env server answers at tcp://127.0.0.1:9: start"):
        async with make("http://127.0.0.1:9/v1", server="tcp://127.0.0.1:9"):
            pass


async def test_an_environment_that_cannot_be_served_is_told(policy):
    config = vf.resolve_env_config(COPY_LETTER).model_dump(mode="json")
    config["taskset"]["id"] = "no-such-taskset"
    broker = Broker(config, "tcp://127.0.0.1:0", workers=2)
    with pytest.raises(RolloutsError, match="ended with status 1 before it served"):
        async with asyncio.timeout(ANSWER_S):
            await broker.run()
