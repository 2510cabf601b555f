"""The same rollouts from another process's virtual environment, over HTTP."""

import asyncio
import contextlib
import itertools
import json

import pytest
from aiohttp import web
from inward_training import RemoteRollouts, RolloutsError
from inward_training import remote as remote_module
from inward_training import serve as serve_module
from inward_training.samples import FORMAT
from inward_training.serve import served


async def test_the_same_groups_as_in_process(engine, make):
    async with (
        make(engine(lambda text: "a" if "Say a" in text else "x")) as rollouts,
        served(rollouts) as url,
        RemoteRollouts(url) as remote,
    ):
        assert (remote.environment, await remote.count()) == ("copy-letter", 8)
        remote.weights = 5
        groups = {g.index: g async for g in remote.play([0, 3], group_size=2)}
        assert rollouts.weights == 5
        mine = {g.index: g async for g in rollouts.play([0, 3], group_size=2)}
    for index, group in groups.items():
        assert [s.completion_ids for s in group.samples] == [
            s.completion_ids for s in mine[index].samples
        ]
        assert [s.reward for s in group.samples] == [s.reward for s in mine[index].samples]
        assert group.samples[0].weights == (5, 5)


async def test_a_mistake_is_told_in_the_servers_words(engine, make):
    async with (
        make(engine(lambda _: "x")) as rollouts,
        served(rollouts) as url,
        RemoteRollouts(url) as remote,
    ):
        with pytest.raises(RolloutsError, match="'copy-letter' has 8 tasks: none at 99"):
            [g async for g in remote.play([99])]
        with pytest.raises(RolloutsError, match="whole numbers from 0"):
            [g async for g in remote.play([-1])]
        assert [g.index async for g in remote.play([0])] == [0]  # and it still plays


async def test_a_client_that_leaves_ends_the_play(engine, make):
    loop, waiting = asyncio.get_running_loop(), asyncio.Event()
    asked = []

    def hold(text):
        import time

        asked.append(text)
        loop.call_soon_threadsafe(waiting.set)
        time.sleep(0.5)
        return "x"

    async with make(engine(hold), max_concurrent=1) as rollouts, served(rollouts) as url:
        async with RemoteRollouts(url) as remote:
            playing = asyncio.create_task(anext(remote.play(range(8)), None))
            await waiting.wait()
            playing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await playing
        await asyncio.sleep(1.5)
        assert len(asked) <= 2


async def test_a_second_play_is_refused_by_name(engine, make, monkeypatch):
    monkeypatch.setattr(serve_module, "GRACE_S", 0.1)
    async with (
        make(engine(lambda _: "x")) as rollouts,
        served(rollouts) as url,
        RemoteRollouts(url) as one,
        RemoteRollouts(url) as two,
    ):
        async with contextlib.aclosing(one.play(itertools.repeat(0, 5000))) as first:
            await anext(first)
            with pytest.raises(RolloutsError, match="another play is under way"):
                await anext(two.play([1]))
        monkeypatch.setattr(serve_module, "GRACE_S", 20.0)
        assert [g.index async for g in two.play([1])] == [1]


async def test_failed_rollouts_are_counted_here_too(engine, make):
    async with make(engine(lambda _: "fault")) as rollouts, served(rollouts) as url:
        async with RemoteRollouts(url) as remote:
            [group] = [g async for g in remote.play([1], group_size=2)]
            assert remote.failures == {"TaskError": 2}
        assert group.samples == ()


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8765", "http://127.0.0.1:notaport", "http://127.0.0.1:99999", "", "ftp://a"]
)
def test_what_is_no_address_is_told(url):
    with pytest.raises(ValueError, match=r"is no address such as http://127.0.0.1:8765"):
        RemoteRollouts(url)


async def test_a_long_list_of_tasks_is_taken(engine, make):
    """More than the megabyte that a server takes of itself."""
    async with (
        make(engine(lambda _: "x")) as rollouts,
        served(rollouts) as url,
        RemoteRollouts(url) as remote,
    ):
        groups = remote.play([0] * 600_000)
        async with contextlib.aclosing(groups):
            assert (await anext(groups)).index == 0


async def test_nothing_answers():
    with pytest.raises(RolloutsError, match="start it with inward serve-rollouts"):
        async with RemoteRollouts("http://127.0.0.1:9"):
            pass


@contextlib.asynccontextmanager
async def server_that(play):
    app = web.Application()

    async def info(_):
        return web.json_response({"format": FORMAT, "environment": "e", "tasks": None})

    app.router.add_get("/info", info)
    app.router.add_post("/play", play)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def cut(request):
    answer = web.StreamResponse()
    await answer.prepare(request)
    await answer.write(b"{}\n")
    request.transport.close()
    return answer


async def short(_):
    return web.Response(text="{}\n")


async def garbage(_):
    return web.Response(text=json.dumps({"group": {"samples": [{}], "failures": []}}) + "\n")


async def silent(_):
    await asyncio.sleep(5)
    return web.Response(text="")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (cut, "broke off"),
        (short, "broke off in the middle"),
        (garbage, "answers what is no group"),
        (silent, "has said nothing for"),
    ],
)
async def test_faults_of_the_server_are_raised(fault, words, monkeypatch):
    monkeypatch.setattr(remote_module, "SILENCE_S", 1.0)
    async with server_that(fault) as url, RemoteRollouts(url) as remote:
        with pytest.raises(RolloutsError, match=words):
            [g async for g in remote.play([0])]
