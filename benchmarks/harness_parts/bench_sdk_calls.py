"""The same as `bench_calls` with the MCP SDK's client, one a rollout, as `null` has it."""

from typing import Any

import verifiers.v1 as vf
from bench_calls import timed_calls
from inward_chat.harness import InwardChat, InwardChatConfig
from inward_chat.mcp import SdkServer
from inward_chat.tools import Tools

__all__ = ["TimedSdkCalls"]


class TimedSdkCalls(InwardChat, vf.Harness[InwardChatConfig]):
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
        [(name, url)] = urls.items()
        tools, server = Tools(), await SdkServer.connect(url, 600)
        tools.add(name, url, server)
        trace.info["seconds"] = await timed_calls(tools)
        await server.aclose()
        return vf.ProgramResult(exit_code=0, stdout="", stderr="")
