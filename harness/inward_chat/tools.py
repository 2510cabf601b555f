"""The tools of one rollout, under the names that the model sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from inward_chat import tool_servers
from inward_chat.errors import ToolServerError

LISTING_TIMEOUT = 60.0
"""Seconds for a server to list its tools."""


class Tools:
    """Schemas for the model, and calls by name."""

    def __init__(self) -> None:
        self.schemas: list[dict[str, Any]] = []
        """In the chat format's `tools`."""
        self._servers: dict[str, tuple[str, tool_servers.ToolServer, str]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._servers

    def add(self, prefix: str, url: str, server: tool_servers.ToolServer) -> None:
        """Name each of the server's tools `<prefix>_<name>`, or bare where the prefix is empty."""
        for tool in server.tools:
            name = f"{prefix}_{tool.name}" if prefix else tool.name
            if name in self:
                raise ValueError(
                    f"duplicate tool name {name!r}: give the toolsets distinct TOOL_PREFIXes"
                )
            self._servers[name] = (url, server, tool.name)
            function = {
                "name": name,
                "description": tool.description or "",
                "parameters": tool.input_schema,
            }
            self.schemas.append({"type": "function", "function": function})

    async def call(self, name: str, arguments: Mapping[str, Any]) -> tool_servers.Content:
        """Call the tool that the model knows as `name`.

        Raises:
            tool_servers.ArgumentsTooLargeError: the model's fault.
            ToolServerError: the server's.
        """
        url, server, raw_name = self._servers[name]
        try:
            return await server.call(raw_name, arguments)
        except tool_servers.ArgumentsTooLargeError:
            raise
        except Exception as error:
            raise _failed(f"tool {name!r}", url, error) from error


@asynccontextmanager
async def connect_tools(
    http: aiohttp.ClientSession, urls: Mapping[str, str], call_timeout: float
) -> AsyncIterator[Tools]:
    """The tools of the servers at `urls` (prefix -> URL), listed in that order.

    Raises ToolServerError where a server does not list its tools within `LISTING_TIMEOUT`.
    """
    tools = Tools()
    async with AsyncExitStack() as stack:
        for prefix, url in urls.items():
            try:
                async with asyncio.timeout(LISTING_TIMEOUT):
                    server = await tool_servers.connect(http, url, call_timeout)
            except Exception as error:
                raise _failed(f"tools of {prefix!r}", url, error) from error
            stack.push_async_callback(server.aclose)
            tools.add(prefix, url, server)
        yield tools


def _failed(what: str, url: str, error: Exception) -> ToolServerError:
    # The query holds the rollout's capabilities: it stays out of traces.
    server = urlsplit(url)._replace(query="").geturl()
    return ToolServerError(f"{what} at {server}: {type(error).__name__}: {error}")
