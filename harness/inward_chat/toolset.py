"""A tool server without the bundled one's delays, for rollouts that call it by the hundred.

It is verifiers' `Toolset` in all but four points:

- Answers leave at once. The bundled server's listener is made without a protocol number, so that
  asyncio does not set TCP_NODELAY on its connections, and the second half of an answer waits 40 ms
  for the client's delayed acknowledgement of the first.
- The rollout's State travels over pooled aiohttp connections, at a fraction of httpx's CPU time.
- A State that cannot be read or written is the machine's fault: the call fails as a whole, and the
  harness repeats it, then raises. In the bundled server it reads like an error of the tool, and
  the model has to live with it.
- It ends with the worker that started it (see `orphans`).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import verifiers.v1 as vf

from inward_chat import orphans
from inward_chat.connections import http_client
from inward_chat.verifiers_compat import STATE_TIMEOUT, ConfigT

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer


class Toolset(vf.Toolset[ConfigT, vf.StateT]):
    """Subclass and parameterise it as verifiers' own. A tool that meets a fault of the machine
    raises `mcp.MCPError`; any other exception is a tool error that the model sees."""

    def __init__(self, config: ConfigT) -> None:
        super().__init__(config)
        orphans.mark_worker()

    @classmethod
    def run(cls) -> None:
        # Before an instance is made: that leaves a mark of this process.
        orphans.end_with_worker()
        super().run()

    def register(self, mcp: MCPServer) -> None:
        """The one step of the server's start that runs on its event loop before it listens."""
        super().register(mcp)
        self._state_client = _StateClient()  # type: ignore[assignment]
        _send_at_once(asyncio.get_running_loop())

    async def _pull_state(self) -> vf.State:
        try:
            return await super()._pull_state()
        except Exception as error:
            raise _channel_fault("read", error) from error

    async def _push_state(self, before: bytes) -> None:
        try:
            await super()._push_state(before)
        except Exception as error:
            raise _channel_fault("written", error) from error


def _channel_fault(what: str, error: Exception) -> Exception:
    from mcp import MCPError
    from mcp_types import INTERNAL_ERROR

    return MCPError(
        INTERNAL_ERROR,
        f"the rollout's State cannot be {what}: {type(error).__name__}: {error}",
    )


def _send_at_once(loop: asyncio.AbstractEventLoop) -> None:
    """Set TCP_NODELAY on sockets that `loop` will listen on; accepted connections inherit it."""
    create_server = loop.create_server

    async def create(*args: Any, sock: socket.socket, **kwargs: Any) -> asyncio.Server:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return await create_server(*args, sock=sock, **kwargs)

    loop.create_server = create  # type: ignore[method-assign, assignment]


class _StateClient:
    """What the State channel asks of an httpx client, over the loop's aiohttp connections."""

    async def request(
        self, method: str, url: str, *, content: bytes | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        http = await http_client()
        limit = aiohttp.ClientTimeout(total=STATE_TIMEOUT)
        try:
            async with http.request(
                method, url, data=content, headers=headers, timeout=limit
            ) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            raise httpx.TransportError(f"{type(error).__name__}: {error}") from error
        return httpx.Response(answer.status, content=body, request=httpx.Request(method, url))
