"""`inward serve-rollouts`: rollouts over HTTP, for trainers that live in another environment."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from aiohttp import web

from inward_training.rollouts import Rollouts
from inward_training.samples import FORMAT

LONGEST = 2**26
"""Bytes of a request: the positions of some million tasks."""
HEARTBEAT_S = 5.0
"""An empty line of JSON this often, so that a client can tell waiting from hanging."""

GRACE_S = 10.0
"""How long a play waits for the one before it, whose client has perhaps just left."""

log = logging.getLogger(__name__)
_PLAYING = web.AppKey("playing", asyncio.Lock)
_ROLLOUTS = web.AppKey("rollouts", Rollouts)


def application(rollouts: Rollouts) -> web.Application:
    """The server's application over `rollouts`, which are entered already."""
    app = web.Application(client_max_size=LONGEST)
    app[_ROLLOUTS] = rollouts
    app[_PLAYING] = asyncio.Lock()
    app.router.add_get("/info", _info)
    app.router.add_post("/play", _play)
    return app


@contextlib.asynccontextmanager
async def served(rollouts: Rollouts, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serves `rollouts`, entered already, and yields the address.

    There is no key: whoever reaches the port can spend the engine's time. So it listens on loopback
    unless told otherwise.
    """
    # A client that goes away cancels its play, and so does the end of the server.
    runner = web.AppRunner(
        application(rollouts), handler_cancellation=True, access_log=None, shutdown_timeout=1
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _info(request: web.Request) -> web.Response:
    rollouts = request.app[_ROLLOUTS]
    count = await rollouts.count()
    return web.json_response(
        {"format": FORMAT, "environment": rollouts.environment, "tasks": count}
    )


async def _play(request: web.Request) -> web.StreamResponse:
    rollouts = request.app[_ROLLOUTS]
    try:
        tasks, group_size, weights = _asked(await request.json())
    except (ValueError, TypeError, KeyError) as error:
        return web.Response(status=400, text=f"{type(error).__name__}: {error}")
    # One at a time: the weights' version is of one trainer, and so are the places.
    playing = request.app[_PLAYING]
    try:
        await asyncio.wait_for(playing.acquire(), GRACE_S)
    except TimeoutError:
        text = "another play is under way: one trainer plays at a time; start a server for each"
        return web.Response(status=409, text=text)
    try:
        return await _played(request, rollouts, tasks, group_size, weights)
    finally:
        playing.release()


async def _played(
    request: web.Request, rollouts: Rollouts, tasks: list[int], group_size: int, weights: int
) -> web.StreamResponse:
    rollouts.weights = weights
    answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await answer.prepare(request)
    lines = _lines(rollouts, tasks, group_size)
    async with contextlib.aclosing(lines):
        async for line in lines:
            await answer.write(line)
    await answer.write_eof()
    return answer


def _asked(body: Any) -> tuple[list[int], int, int]:
    tasks, group_size, weights = body["tasks"], body["group_size"], body["weights"]
    whole = [*tasks, group_size, weights]
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in whole):
        raise ValueError("tasks, group_size and weights are whole numbers from 0")
    if group_size < 1:
        raise ValueError(f"group_size must be at least 1 (got {group_size})")
    return tasks, group_size, weights


async def _lines(
    rollouts: Rollouts, tasks: list[int], group_size: int
) -> AsyncGenerator[bytes, None]:
    count = 0
    try:
        async with contextlib.aclosing(rollouts.play(tasks, group_size=group_size)) as groups:
            waiting: asyncio.Future[Any] = asyncio.ensure_future(anext(groups, None))
            try:
                while True:
                    await asyncio.wait([waiting], timeout=HEARTBEAT_S)
                    if not waiting.done():
                        yield _line({})
                        continue
                    group = waiting.result()
                    if group is None:
                        break
                    count += 1
                    yield _line({"group": group.as_json()})
                    waiting = asyncio.ensure_future(anext(groups, None))
            finally:
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
    except Exception as error:
        log.exception("the play broke off")
        yield _line({"error": f"{type(error).__name__}: {error}"})
        return
    yield _line({"done": count})


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said, allow_nan=False).encode() + b"\n"
