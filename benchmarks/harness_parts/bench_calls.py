"""A harness that makes no model call: it times its rollout's tool calls, one after the other."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import verifiers.v1 as vf
from inward_chat.connections import http_client
from inward_chat.harness import InwardChat, InwardChatConfig
from inward_chat.tools import Tools, connect_tools

__all__ = ["TimedCalls"]

CALLS = 100


class TimedCalls(InwardChat, vf.Harness[InwardChatConfig]):
    async def launch(self, *rollout: Any, **gate: Any) -> vf.ProgramResult:
        _, trace, _, _, _, urls, _ = rollout
        seconds = trace.info["seconds"] = []
        async with self.connected(urls) as tools:
            for _ in range(CALLS):
                started = time.perf_counter()
                await tools.call("story_search", {"query": "what went on"})
                seconds.append(time.perf_counter() - started)
        return vf.ProgramResult(exit_code=0, stdout="", stderr="")

    @asynccontextmanager
    async def connected(self, urls: dict[str, str]) -> AsyncIterator[Tools]:
        async with connect_tools(await http_client(), urls, 600) as tools:
            yield tools
