"""The MCP client against servers of every kind, over real HTTP on loopback."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from aiohttp import web
from inward_chat import tool_servers
from inward_chat.connections import http_client
from inward_chat.errors import ToolServerError
from inward_chat.tools import connect_tools
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings


@asynccontextmanager
async def sdk_server(host: str = "127.0.0.1", **how: Any) -> AsyncIterator[str]:
    """The URL of a server of the MCP SDK with one tool."""
    server = MCPServer("shout")
    server.add_tool(lambda text: text.upper(), name="shout", description="Say it loudly.")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((host, 0))
    anywhere = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    app = server.streamable_http_app(transport_security=anywhere, **how)
    runner = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    serving = asyncio.create_task(runner.serve(sockets=[listener]))
    try:
        yield f"http://{host}:{listener.getsockname()[1]}/mcp"
    finally:
        runner.should_exit = True
        await serving


KINDS = {
    "stateless JSON, as verifiers bundles it": (
        {"stateless_http": True, "json_response": True},
        tool_servers.JsonServer,
    ),
    "event streams": ({"stateless_http": True, "json_response": False}, tool_servers.SdkServer),
    "sessions": ({"stateless_http": False, "json_response": False}, tool_servers.SdkServer),
}


@pytest.mark.parametrize(("how", "client"), KINDS.values(), ids=KINDS)
async def test_each_kind_of_server_gets_its_client(how: dict[str, bool], client: type) -> None:
    async with sdk_server(**how) as url:
        server = await tool_servers.connect(await http_client(), url, 30)
        try:
            assert isinstance(server, client)
            assert [tool.name for tool in server.tools] == ["shout"]
            assert await server.call("shout", {"text": "söft"}) == "SÖFT"
        finally:
            await server.aclose()


async def test_a_server_off_loopback_gets_the_sdk_client() -> None:
    # Not one of the loopback names that the plain client knows, and reachable all the same.
    async with sdk_server("127.0.0.2", stateless_http=True, json_response=True) as url:
        server = await tool_servers.connect(await http_client(), url, 30)
        assert isinstance(server, tool_servers.SdkServer)
        await server.aclose()


TOOL = {"name": "look", "inputSchema": {"type": "object"}}
LISTING = {"resultType": "complete", "tools": [TOOL]}
SEEN = {"resultType": "complete", "content": [{"type": "text", "text": "seen"}]}
Reply = Callable[[web.Request], web.Response]


def rpc(result: Any, status: int = 200, key: str = "result") -> Reply:
    body = {"jsonrpc": "2.0", "id": 1, key: result}
    return lambda request: web.json_response(body, status=status)


def text(body: str, status: int = 200) -> Reply:
    return lambda request: web.Response(text=body, status=status)


def cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


class Scripted:
    """A server of the bundled kind that answers calls by a script, its last answer for good."""

    def __init__(self, *answers: Reply, listing: Any = LISTING) -> None:
        self.answers = list(answers)
        self.listing = listing
        self.listed = 0
        self.requests: list[web.Request] = []
        self.connections: set[Any] = set()

    async def handle(self, request: web.Request) -> web.Response:
        self.connections.add(request.transport)
        call = await request.json()
        if call["method"] == "tools/list":
            self.listed += 1
            return rpc(self.listing)(request)
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/mcp", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
        finally:
            await runner.cleanup()


FAULTS = {
    "cut connection": cut,
    "server error": text("sorry", status=500),
    "no JSON": text("<html>"),
    "JSON-RPC error": rpc({"code": -32603, "message": "broken"}, 500, "error"),
    "asks for input": rpc({"resultType": "input_required", "inputRequests": {}}),
    "no content": rpc({"resultType": "complete", "content": "seen"}),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_server_fault_is_repeated_then_raised(
    fault: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_servers, "MCP_CALL_ATTEMPTS", 2)
    passing, lasting = Scripted(fault, rpc(SEEN)), Scripted(fault)
    http = await http_client()
    async with (
        passing.serve() as passing_url,
        lasting.serve() as lasting_url,
        connect_tools(http, {"a": passing_url, "b": lasting_url}, 30) as tools,
    ):
        assert await tools.call("a_look", {}) == "seen"
        with pytest.raises(ToolServerError, match=r"tool 'b_look' at http://127"):
            await tools.call("b_look", {})
    assert len(passing.requests) == len(lasting.requests) == 2


async def test_a_call_has_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_servers, "MCP_CALL_ATTEMPTS", 1)
    server = Scripted(rpc(SEEN))

    async def never(request: web.Request) -> web.Response:
        call = await request.json()
        if call["method"] == "tools/call":
            await asyncio.Event().wait()
        return rpc(LISTING)(request)

    server.handle = never  # type: ignore[method-assign]
    async with server.serve() as url, connect_tools(await http_client(), {"a": url}, 0.2) as tools:
        with pytest.raises(ToolServerError, match="TimeoutError"):
            await tools.call("a_look", {})


async def test_a_refused_connection_is_repeated_then_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tool_servers, "MCP_CALL_ATTEMPTS", 2)
    async with Scripted(rpc(SEEN)).serve() as url:
        pass
    with pytest.raises(ToolServerError, match=r"tools of 'a' at \S+: ClientConnectorError"):
        async with connect_tools(await http_client(), {"a": f"{url}?vf_state_url=secret"}, 30):
            pytest.fail("connected to nothing")


async def test_too_long_arguments_are_no_server_fault() -> None:
    server = Scripted(text("Request body too large", status=413))
    async with server.serve() as url, connect_tools(await http_client(), {"a": url}, 30) as tools:
        with pytest.raises(tool_servers.ArgumentsTooLargeError):
            await tools.call("a_look", {"text": "x"})
    assert len(server.requests) == 1


async def test_rollouts_share_connections_and_keep_their_own_query() -> None:
    server = Scripted(rpc(SEEN))
    queries = [f"vf_state_route=r{n}&vf_state_url=http%3A%2F%2F127.0.0.1%3A9%2F" for n in range(5)]
    http = await http_client()
    async with server.serve() as url:
        for query in queries:
            async with connect_tools(http, {"a": f"{url}?{query}"}, 30) as tools:
                assert await tools.call("a_look", {}) == "seen"
    assert [request.raw_path for request in server.requests] == [
        f"/mcp?{query}" for query in queries
    ]
    assert len(server.connections) == 1


async def test_rollouts_at_once_list_the_tools_once() -> None:
    server, http = Scripted(rpc(SEEN)), await http_client()
    async with server.serve() as url:
        async with connect_tools(http, {"a": f"{url}?r=1"}, 30) as first:
            async with connect_tools(http, {"b": f"{url}?r=2"}, 30) as second:
                assert names(first) == ["a_look"]
                assert names(second) == ["b_look"]
            assert server.listed == 1
        del first, second
        # The tools of another server, that has come to the same port, are its own.
        server.listing = {**LISTING, "tools": [{**TOOL, "name": "listen"}]}
        async with connect_tools(http, {"a": f"{url}?r=3"}, 30) as third:
            assert names(third) == ["a_listen"]


PAGED = {**LISTING, "nextCursor": "2"}
HEADERED = {
    "resultType": "complete",
    "tools": [
        {
            "name": "look",
            "inputSchema": {
                "type": "object",
                "properties": {"at": {"type": "string", "x-mcp-header": "At"}},
            },
        }
    ],
}


OLD = {"tools": [TOOL]}
NO_LIST = {"resultType": "complete"}


@pytest.mark.parametrize("listing", [PAGED, HEADERED, OLD, NO_LIST])
async def test_what_the_plain_client_cannot_do_is_left_to_the_sdk(listing: Any) -> None:
    async with Scripted(rpc(SEEN), listing=listing).serve() as url:
        with pytest.raises(tool_servers.UnexpectedAnswerError):
            await tool_servers.JsonServer.connect(await http_client(), url, 30)


def names(tools: Any) -> Sequence[str]:
    return [schema["function"]["name"] for schema in tools.schemas]


async def test_names_are_qualified_and_never_double() -> None:
    http = await http_client()
    clash = {**LISTING, "tools": [{**TOOL, "name": "a_look"}]}
    look, a_look = Scripted(rpc(SEEN)), Scripted(rpc(SEEN), listing=clash)
    async with look.serve() as url, a_look.serve() as clashing_url:
        async with connect_tools(http, {"a": url, "": url}, 30) as tools:
            assert names(tools) == ["a_look", "look"]
        with pytest.raises(ValueError, match="TOOL_PREFIX"):
            async with connect_tools(http, {"a": url, "": clashing_url}, 30):
                pytest.fail("two tools of one name")


async def test_the_request_is_what_the_protocol_says() -> None:
    server = Scripted(rpc(SEEN))
    bodies: list[Any] = []

    def record(request: web.Request) -> web.Response:
        bodies.append(json.loads(request._read_bytes or b""))
        return rpc(SEEN)(request)

    server.answers = [record]
    async with server.serve() as url, connect_tools(await http_client(), {"a": url}, 30) as tools:
        await tools.call("a_look", {"at": "sea"})
    [request], [body] = server.requests, bodies
    assert request.headers["MCP-Protocol-Version"] == "2026-07-28"
    assert request.headers["Mcp-Method"] == body["method"] == "tools/call"
    assert request.headers["Mcp-Name"] == body["params"]["name"] == "look"
    assert body["params"]["arguments"] == {"at": "sea"}
