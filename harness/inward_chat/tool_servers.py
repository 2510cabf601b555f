"""Tool servers over MCP: plain JSON-RPC to the bundled kind, the MCP SDK to every other.

verifiers' bundled tool server speaks protocol revision 2026-07-28, stateless and in plain JSON: a
call is one POST. All rollouts of a worker share its connections to such a server, and the query of
a tool URL, which tells a shared server the caller's rollout, travels with each request. The answer
to `tools/list` shows whether a server is of that kind. Every other server, and any that is not on
loopback, gets a client of the MCP SDK for each rollout, as the `null` harness gives it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self, cast
from weakref import WeakValueDictionary

import aiohttp
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    PROTOCOL_VERSION_META_KEY,
    CallToolResult,
    ListToolsResult,
    Tool,
)
from pydantic import ValidationError
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)
from yarl import URL

from inward_chat.connections import CONNECT_TIMEOUT
from inward_chat.repeats import warn_of_repeat
from inward_chat.verifiers_compat import (
    MCP_CALL_ATTEMPTS,
    MCPConnection,
    mcp_content_to_chat_content,
)

PROTOCOL = "2026-07-28"
META = {PROTOCOL_VERSION_META_KEY: PROTOCOL, CLIENT_CAPABILITIES_META_KEY: {}}
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Content = str | list[dict[str, Any]]
"""A tool's result as the content of a chat message: text, or parts where it holds an image."""


class ArgumentsTooLargeError(Exception):
    """The model's fault: a call longer than the server reads."""


class UnexpectedAnswerError(Exception):
    """Not what a server of the bundled kind answers."""


class ToolServer(Protocol):
    """A connected tool server as one rollout sees it."""

    @property
    def tools(self) -> Sequence[Tool]: ...

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Content:
        """The result of a call; of a tool that raised, the error's text.

        Raises:
            ArgumentsTooLargeError: the server does not read a request of this size.
            Exception: the server failed in all of `MCP_CALL_ATTEMPTS` attempts.
        """

    async def aclose(self) -> None: ...


async def connect(http: aiohttp.ClientSession, url: str, call_timeout: float) -> ToolServer:
    """Connect to the server at `url`; one attempt at a call may take `call_timeout` seconds."""
    if URL(url).host in LOOPBACK:
        try:
            return await JsonServer.connect(http, url, call_timeout)
        except UnexpectedAnswerError:
            pass
    return await SdkServer.connect(url, call_timeout)


def _attempts(what: str, *, give_up: type[Exception]) -> AsyncRetrying:
    """The patience of `null`: some 18 seconds for a server that refuses connections."""
    return AsyncRetrying(
        retry=retry_if_exception_type(Exception) & retry_if_not_exception_type(give_up),
        stop=stop_after_attempt(MCP_CALL_ATTEMPTS),
        wait=wait_exponential(multiplier=0.5, max=30) + wait_random(0, 1),
        before_sleep=warn_of_repeat(what),
        reraise=True,
    )


_listings: WeakValueDictionary[URL, ListToolsResult] = WeakValueDictionary()
"""The tools of each server of the bundled kind, for as long as a rollout uses it: a later server
on the same port is asked anew."""


class JsonServer:
    """A server of the bundled kind, over the worker's connections."""

    def __init__(self, http: aiohttp.ClientSession, url: str, call_timeout: float) -> None:
        self._listing = ListToolsResult(tools=[])
        self._http = http
        self._url = URL(url, encoded=True)
        self._timeout = aiohttp.ClientTimeout(total=call_timeout, sock_connect=CONNECT_TIMEOUT)

    @classmethod
    async def connect(cls, http: aiohttp.ClientSession, url: str, call_timeout: float) -> Self:
        """Raises UnexpectedAnswerError where the server is not of the bundled kind."""
        server = cls(http, url, call_timeout)
        shared = server._url.with_query(None)
        listing = _listings.get(shared) or await server._list_tools()
        server._listing = _listings.setdefault(shared, listing)
        return server

    @property
    def tools(self) -> Sequence[Tool]:
        return self._listing.tools

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Content:
        attempts = _attempts(f"tool {name!r}", give_up=ArgumentsTooLargeError)
        return cast(Content, await attempts(self._call, name, arguments))

    async def aclose(self) -> None:
        """Nothing: the connections are the worker's."""

    async def _list_tools(self) -> ListToolsResult:
        attempts = _attempts("listing tools", give_up=UnexpectedAnswerError)
        answer: object = await attempts(self._request, "tools/list", {})
        try:
            listing = ListToolsResult.model_validate(answer)
        except ValidationError as error:
            raise UnexpectedAnswerError(str(error)) from error
        schemas = [tool.input_schema for tool in listing.tools]
        if listing.next_cursor is not None or "x-mcp-header" in json.dumps(schemas):
            raise UnexpectedAnswerError("several pages, or arguments in headers")
        return listing

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> Content:
        params = {"name": name, "arguments": arguments}
        answer = await self._request("tools/call", params, {"Mcp-Name": name})
        return mcp_content_to_chat_content(CallToolResult.model_validate(answer).content)

    async def _request(
        self, method: str, params: Mapping[str, Any], extra_headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The result of one JSON-RPC call in one attempt."""
        headers = {
            # No event stream: a server that does not keep to JSON has to refuse.
            "Accept": "application/json",
            "Content-Type": "application/json",
            "MCP-Protocol-Version": PROTOCOL,
            "Mcp-Method": method,
            **(extra_headers or {}),
        }
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
        async with self._http.post(
            self._url,
            data=json.dumps(call).encode(),
            headers=headers,
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            answer = await response.read()
        if response.status == 413:
            raise ArgumentsTooLargeError
        return _result(response.status, answer)


def _result(status: int, answer: bytes) -> dict[str, Any]:
    """The complete result in a JSON-RPC reply; all else is an UnexpectedAnswerError."""
    try:
        reply = json.loads(answer)
    except ValueError:
        reply = None
    result = reply.get("result") if isinstance(reply, dict) else None
    if status != 200 or not isinstance(result, dict) or result.get("resultType") != "complete":
        raise UnexpectedAnswerError(f"HTTP {status}: {answer[:500].decode(errors='replace')}")
    return result


class SdkServer:
    """Any other server, over a client of the MCP SDK that this rollout owns."""

    def __init__(self, url: str, call_timeout: float) -> None:
        self._listing = ListToolsResult(tools=[])
        spec = {"url": url, "timeout": call_timeout, "connect_timeout": CONNECT_TIMEOUT}
        self._connection = MCPConnection(spec)

    @classmethod
    async def connect(cls, url: str, call_timeout: float) -> Self:
        server = cls(url, call_timeout)
        server._listing = await server._connection.run(lambda client: client.list_tools())
        return server

    @property
    def tools(self) -> Sequence[Tool]:
        return self._listing.tools

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Content:
        result = await self._connection.run(lambda client: client.call_tool(name, dict(arguments)))
        return mcp_content_to_chat_content(result.content)

    async def aclose(self) -> None:
        await self._connection.aclose()
