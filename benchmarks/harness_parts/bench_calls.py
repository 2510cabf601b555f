"""A harness that makes no model call: it times its rollout's tool calls, one after the other."""

import time
from typing import Any

import verifiers.v1 as vf
from inward_chat.connections import http_client
from inward_chat.harness import InwardChat, InwardChatConfig
from inward_chat.tools import Tools, connect_tools

__all__ = ["TimedCalls"]

CALLS = 100


async def timed_calls(tools: Tools) -> list[float]:
    """Seconds of each call."""
    seconds = []
    for _ in range(CALLS):
        started = time.perf_counter()
        await tools.call("story_search", {"query": "what went on"})
        seconds.append(time.perf_counter() - started)
    return seconds


class TimedCalls(InwardChat, vf.Harness[InwardChatConfig]):
    async def launch(
        self,
        ctx: Any,
        trace: Any,
        runtime: Any,
        endpoint: Any,
        secret: Any,
        urls: Any,
        *rest: Any,
        **gate: Any,
    ) -> vf.ProgramResult:
        async with connect_tools(await http_client(), urls, 600) as tools:
            trace.info["seconds"] = await timed_calls(tools)
        return vf.ProgramResult(exit_code=0, stdout="", stderr="")
