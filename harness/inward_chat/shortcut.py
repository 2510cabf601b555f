"""One tool call in plain JSON, past the MCP SDK's layers.

The SDK spends three times as long around a call as in it: it lists the tools again, checks the
request's headers against them, opens a connection object, a trace span and a task of its own.
`JsonCalls` answers the one kind of request that `inward_chat.tool_servers.JsonServer` makes for a
call; every other request, and so every other client, is the SDK's as before.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mcp import MCPError
from mcp.server.mcpserver import MCPServer
from mcp.server.streamable_http_manager import DEFAULT_MAX_REQUEST_BODY_SIZE
from mcp_types import CallToolResult, TextContent

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Asgi = Callable[[Event, Receive, Send], Awaitable[None]]


class JsonCalls:
    """The ASGI app in front of the SDK's."""

    def __init__(self, mcp: MCPServer, sdk_app: Asgi) -> None:
        self._mcp = mcp
        self._sdk_app = sdk_app

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_plain_call(dict(scope["headers"])):
            await self._sdk_app(scope, receive, send)
            return
        call = json.loads(await _body(receive))
        answer = await self._answer(call["params"]["name"], call["params"]["arguments"])
        body = b'{"jsonrpc":"2.0","id":%s,%s}' % (json.dumps(call["id"]).encode(), answer)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, name: str, arguments: dict[str, Any]) -> bytes:
        """The `result` or `error` member of the reply, as the SDK decides between them."""
        try:
            result = await self._mcp.call_tool(name, arguments)
        except MCPError as fault:
            return b'"error":' + fault.error.model_dump_json(exclude_none=True).encode()
        except Exception as error:
            result = CallToolResult(content=[TextContent(text=str(error))], is_error=True)
        # The structured content repeats the text, and no model reads it.
        text = result.model_dump_json(
            by_alias=True, exclude_none=True, exclude={"structured_content"}
        )
        return b'"result":' + text.encode()


def _is_plain_call(headers: dict[bytes, bytes]) -> bool:
    """Whether a request is one that `JsonServer` makes: no other client accepts JSON alone."""
    return (
        headers.get(b"accept") == b"application/json"
        and headers.get(b"mcp-method") == b"tools/call"
        # The SDK refuses longer ones, before they are read.
        and 0 < int(headers.get(b"content-length", 0)) <= DEFAULT_MAX_REQUEST_BODY_SIZE
    )


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            return bytes(body)
