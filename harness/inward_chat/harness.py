"""The `inward-chat` harness: verifiers' `null` chat loop inside the env worker.

What it shares with `null`: prompts of text, images and messages, system prompts, resume, MCP
tools, tool interception, what goes back to the model as a tool error and what ends the rollout.
What differs: no process a rollout, nothing streamed, the connections pooled a worker, and the
tool calls of one turn at once.
"""

from __future__ import annotations

from typing import Any

import verifiers.v1 as vf
from verifiers.v1.dialects.chat import message_to_wire
from verifiers.v1.errors import MODEL_TRANSPORT_ERROR_EXIT_CODE

from inward_chat.chat import Conversation
from inward_chat.connections import http_client
from inward_chat.errors import CallRefusedError, InterceptionLostError
from inward_chat.interception import Message, ModelClient, ToolGate, is_context_overflow
from inward_chat.tools import connect_tools


class InwardChatConfig(vf.HarnessConfig):
    id: vf.ID = "inward-chat"


class InwardChat(vf.Harness[InwardChatConfig]):
    APPENDS_SYSTEM_PROMPT = True
    SUPPORTS_MCP = True
    SUPPORTS_RESUME = True
    SUPPORTS_TOOL_INTERCEPTION = True
    EXECUTES_CODE = False
    NEEDS_CONTAINER = False

    async def setup(self, runtime: vf.Runtime) -> None:
        if runtime.type != "subprocess":
            raise ValueError(
                f"harness {self.config.id!r} runs in the env worker and reaches nothing inside a "
                f"{runtime.type!r} runtime: pass --env.agent.runtime.type subprocess"
            )

    async def launch(
        self,
        ctx: vf.ModelContext,
        trace: vf.Trace[Any, Any, Any],
        runtime: vf.Runtime,
        endpoint: str,
        secret: str,
        mcp_urls: dict[str, str],
        data: vf.TaskData,
        tool_interception_url: str | None = None,
    ) -> vf.ProgramResult:
        http = await http_client()
        gate = ToolGate(http, tool_interception_url, secret) if tool_interception_url else None
        async with connect_tools(http, mcp_urls, self.config.tool_timeout) as tools:
            model = ModelClient(http, endpoint, secret, ctx.model, tools.schemas)
            in_order = type(trace.state) is not vf.State
            conversation = Conversation(model, tools, gate, in_order=in_order)
            try:
                await conversation.run(self._opening(data))
            except CallRefusedError as refused:
                # A full context is the end of a budget, not a crash.
                if not is_context_overflow(refused):
                    return vf.ProgramResult(exit_code=1, stdout="", stderr=str(refused))
            except InterceptionLostError as failure:
                return vf.ProgramResult(
                    exit_code=MODEL_TRANSPORT_ERROR_EXIT_CODE, stdout="", stderr=str(failure)
                )
        return vf.ProgramResult(exit_code=0, stdout="", stderr="")

    def _opening(self, data: vf.TaskData) -> list[Message]:
        """The conversation before the first model call. Empty prompts add no message."""
        system, prompt = self.resolve_prompt(data)
        messages: list[Message] = [{"role": "system", "content": system}] if system else []
        if isinstance(prompt, str):
            return [*messages, {"role": "user", "content": prompt}] if prompt else messages
        return [*messages, *(message_to_wire(message) for message in prompt or ())]
