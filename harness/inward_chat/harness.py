"""The `inward-chat` harness: verifiers' `null` chat loop inside the env worker.

What it shares with `null`: prompts of text, images and messages, system prompts, resume, MCP
tools, tool interception, what goes back to the model as a tool error and what ends the rollout.
What differs: no process per rollout, nothing streamed, the connections pooled per worker, and the
tool calls of one turn at once.
"""

from __future__ import annotations

from typing import Any, Self

import verifiers.v1 as vf
from pydantic import model_validator

from inward_chat.chat import Conversation
from inward_chat.connections import http_client
from inward_chat.errors import CallRefusedError, InterceptionLostError
from inward_chat.interception import Message, ModelClient, ToolGate, is_context_overflow
from inward_chat.tools import connect_tools
from inward_chat.verifiers_compat import MODEL_TRANSPORT_ERROR_EXIT_CODE, message_to_wire

UNREAD = ("env", "forward_env", "mcp_header_env", "disabled_tools")
"""Settings of every harness that mean nothing without a program."""


class InwardChatConfig(vf.HarnessConfig):
    id: vf.ID = "inward-chat"

    @model_validator(mode="before")
    @classmethod
    def _id_is_always_set(cls, data: Any) -> Any:
        """verifiers from 0.4.1 on reads the fields that were set and no others: an id that is only
        a default is lost, and another harness takes the seat."""
        return {"id": cls.model_fields["id"].default, **data} if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _nothing_that_would_be_ignored(self) -> Self:
        for name in UNREAD:
            if getattr(self, name):
                raise ValueError(
                    f"harness {self.id!r} starts no program, and nothing in it reads {name!r} "
                    f"({getattr(self, name)!r}): drop that setting"
                )
        # A field of newer versions only.
        dialect = getattr(self, "dialect", "auto")
        if dialect not in ("auto", "chat_completions"):
            raise ValueError(f"harness {self.id!r} speaks chat_completions, not {dialect!r}")
        return self


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
            model = ModelClient(
                http, endpoint, secret, ctx.model, tools.schemas, ctx.client.base_url
            )
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
