"""`inward_chat.Toolset` and the State of many rollouts on one shared server."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from inward_chat import tool_servers
from inward_chat.connections import http_client
from inward_chat.errors import ToolServerError
from inward_chat.testing import tool_call
from inward_chat.tools import connect_tools

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage() -> AsyncIterator[Any]:
    from counting import CountingEnv, CountingEnvConfig
    from stage import open_stage

    async with open_stage(CountingEnv(CountingEnvConfig(taskset={"id": "counting"}))) as stage:
        yield stage


def notes(*words: str) -> dict[str, Any]:
    return {
        "content": None,
        "tool_calls": [tool_call("count_note", {"word": word}, word) for word in words],
    }


async def test_calls_of_one_turn_lose_no_write_and_rollouts_never_mix(stage: Any) -> None:
    stage.script(notes("one", "two"), notes("three"), {"content": "done"})
    tasks = list(stage.env.taskset.load())
    traces = await asyncio.gather(*(stage.play(task) for task in tasks))
    for task, trace in zip(tasks, traces, strict=True):
        assert trace.ok, trace.errors
        assert trace.metrics == {"noted": 3.0}
        results = [m.content for m in trace.messages if m.role == "tool"]
        assert results == [
            f"{task.data.name}: one",
            f"{task.data.name}: one two",
            f"{task.data.name}: one two three",
        ]


async def test_the_plain_client_and_the_sdk_get_the_same_answer(stage: Any) -> None:
    url = stage.env._shared_tools["count"].url
    plain = await tool_servers.JsonServer.connect(await http_client(), url, 30)
    sdk = await tool_servers.SdkServer.connect(url, 30)
    cases: list[tuple[str, dict[str, Any]]] = [
        ("note", {"word": "a ☃"}),
        ("note", {}),
        ("note", {"word": 7, "more": [None]}),
        ("nothing", {}),
    ]
    try:
        for name, arguments in cases:
            assert await plain.call(name, arguments) == await sdk.call(name, arguments)
    finally:
        await sdk.aclose()


@pytest.mark.parametrize(
    "coordinates",
    [
        "vf_state_url=http%3A%2F%2F127.0.0.1%3A9%2Fstate&vf_state_route=r&vf_state_signature=forged",
        "vf_state_route=r",
    ],
)
async def test_a_state_out_of_reach_is_the_servers_fault_not_the_tools(
    stage: Any, coordinates: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_servers, "MCP_CALL_ATTEMPTS", 1)
    url = f"{stage.env._shared_tools['count'].url}?{coordinates}"
    async with connect_tools(await http_client(), {"count": url}, 30) as tools:
        with pytest.raises(ToolServerError, match="State cannot be read"):
            await tools.call("count_note", {"word": "x"})


async def test_the_server_listens_without_delay() -> None:
    from inward_chat.toolset import _send_at_once

    loop = asyncio.new_event_loop()
    _send_at_once(loop)

    async def accepted_socket() -> int:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
        option = asyncio.get_running_loop().create_future()

        class Ask(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                accepted = transport.get_extra_info("socket")
                option.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                transport.close()

        server = await asyncio.get_running_loop().create_server(Ask, sock=listener)
        async with server:
            _, writer = await asyncio.open_connection(*listener.getsockname())
            writer.close()
            return await option

    try:
        assert await asyncio.to_thread(loop.run_until_complete, accepted_socket())
    finally:
        loop.close()
