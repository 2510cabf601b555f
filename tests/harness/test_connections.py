"""The connections of an event loop, and the interception server's faults."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import verifiers.v1 as vf
from aiohttp import web
from inward_chat import InwardChat, InwardChatConfig, connections
from inward_chat.connections import http_client
from inward_chat.interception import RETRY_COUNT_HEADER


def test_a_loop_has_one_client_that_ends_with_it() -> None:
    async def two_rollouts() -> list[aiohttp.ClientSession]:
        return await asyncio.gather(http_client(), http_client())

    first, again = asyncio.run(two_rollouts())
    other, _ = asyncio.run(two_rollouts())
    assert first is again
    assert first is not other
    assert first.closed
    assert other.closed
    assert not connections._owners


def completion(message: dict[str, Any]) -> Callable[[], web.Response]:
    return lambda: web.json_response({"choices": [{"message": message}]})


def refusal(status: int) -> Callable[[], web.Response]:
    return lambda: web.json_response({"error": "scripted"}, status=status)


@asynccontextmanager
async def interception(
    *answers: Callable[[], web.Response],
) -> AsyncIterator[tuple[str, list[Any]]]:
    """An endpoint that answers by a script, and the requests that it has seen."""
    script, requests = list(answers), []

    async def answer(request: web.Request) -> web.Response:
        requests.append(request)
        return script.pop(0)()

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    app.router.add_post("/tool", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", requests
    finally:
        await runner.cleanup()


async def launch(base: str, **kwargs: Any) -> vf.ProgramResult:
    data = vf.TaskData(idx=0, prompt="Hello.")
    ctx = vf.ModelContext(model="policy", client=vf.EvalClientConfig())
    trace = type("Trace", (), {"state": vf.State()})()
    return await InwardChat(InwardChatConfig()).launch(
        ctx, trace, None, f"{base}/v1", "secret", {}, data, **kwargs
    )


DONE = completion({"role": "assistant", "content": "done"})
CALL = {"id": "c", "type": "function", "function": {"name": "nothing", "arguments": "{}"}}


async def test_a_repeated_call_says_so_and_carries_the_secret() -> None:
    async with interception(refusal(502), refusal(429), DONE) as (base, requests):
        result = await launch(base)
    assert result.exit_code == 0
    assert [request.headers[RETRY_COUNT_HEADER] for request in requests] == ["0", "1", "2"]
    assert {request.headers["Authorization"] for request in requests} == {"Bearer secret"}


@pytest.mark.parametrize(("status", "calls"), [(400, 1), (401, 1), (422, 1), (500, 3)])
async def test_an_error_status_ends_the_program(status: int, calls: int) -> None:
    async with interception(*[refusal(status)] * 3) as (base, requests):
        result = await launch(base)
    assert result.exit_code == 1
    assert f"HTTP {status}" in result.stderr
    assert len(requests) == calls


async def test_a_lost_interception_server_has_the_transport_exit_code() -> None:
    async with interception() as (base, _):
        pass
    result = await launch(base)
    assert result.exit_code == 97
    assert "ClientConnectorError" in result.stderr


async def test_a_stop_at_the_gate_ends_the_program() -> None:
    ask = completion({"role": "assistant", "content": None, "tool_calls": [CALL]})

    def stop() -> web.Response:
        return web.json_response({"action": "stop", "reason": "enough"})

    async with interception(ask, stop) as (base, requests):
        result = await launch(base, tool_interception_url=f"{base}/tool")
    assert result.exit_code == 1
    assert "enough" in result.stderr
    assert len(requests) == 2
