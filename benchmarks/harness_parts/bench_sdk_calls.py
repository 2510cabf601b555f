"""The same as `bench_calls` with the MCP SDK's client, one a rollout, as `null` has it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import bench_calls
from inward_chat.tool_servers import SdkServer
from inward_chat.tools import Tools

__all__ = ["TimedSdkCalls"]


class TimedSdkCalls(bench_calls.TimedCalls):
    @asynccontextmanager
    async def connected(self, urls: dict[str, str]) -> AsyncIterator[Tools]:
        [(name, url)] = urls.items()
        tools, server = Tools(), await SdkServer.connect(url, 600)
        tools.add(name, url, server)
        yield tools
        await server.aclose()
