"""The chat loop: model turns and tool calls until a turn calls no tool."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from inward_chat.interception import Message, ModelClient, ToolGate
from inward_chat.tool_servers import ArgumentsTooLargeError, Content
from inward_chat.tools import Tools
from inward_chat.verifiers_compat import bound_tool_message


class ArgumentsError(ValueError):
    """The model's fault; the text tells the model what to do about it."""


def parse_arguments(text: str | None) -> dict[str, Any]:
    """The arguments of a tool call, which may be anything that a model can write."""
    try:
        arguments = json.loads(text or "{}")
        # Refuses what cannot be sent on: NaN, infinities, halves of surrogate pairs.
        json.dumps(arguments, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise ArgumentsError(
            f"error: invalid JSON in tool arguments ({error}); resend the call with valid JSON"
        ) from error
    if not isinstance(arguments, dict):
        raise ArgumentsError(
            f"error: tool arguments must be a JSON object, got {type(arguments).__name__}; "
            "resend as an object"
        )
    return arguments


def _readable(text: str | None) -> object:
    """A call's arguments as the gate shows them to hooks: decoded where they are JSON."""
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        return text


class Conversation:
    """One segment of a rollout.

    `in_order` runs a turn's tool calls one after the other, for tools that write the rollout's
    State: each of them replaces the whole of it, so that of two at once one would be lost.
    """

    def __init__(
        self, model: ModelClient, tools: Tools, gate: ToolGate | None, *, in_order: bool
    ) -> None:
        self._model = model
        self._tools = tools
        self._gate = gate
        self._in_order = in_order

    async def run(self, messages: list[Message]) -> None:
        """Extend `messages` until the model calls no tool; any fault but the model's raises."""
        while True:
            message = await self._model.complete(messages)
            messages.append(message)
            calls = message.get("tool_calls")
            if not calls:
                return
            messages.extend(await self._answer_all(calls))

    async def _answer_all(self, calls: Sequence[dict[str, Any]]) -> list[Message]:
        """The tool messages of a turn, in the order of its calls."""
        if self._in_order or len(calls) == 1:
            return [await self._answer(call) for call in calls]
        try:
            async with asyncio.TaskGroup() as group:
                answers = [group.create_task(self._answer(call)) for call in calls]
        except ExceptionGroup as failures:
            # The first fault has cancelled the other calls; it says what went wrong.
            raise failures.exceptions[0]  # noqa: B904 - it has its own cause
        return [answer.result() for answer in answers]

    async def _answer(self, call: dict[str, Any]) -> Message:
        function = call.get("function") or {}
        name, text = str(function.get("name")), function.get("arguments")
        if self._gate is not None:
            denied = await self._gate.denial(call["id"], name, _readable(text))
            if denied is not None:
                return bound_tool_message(denied)
        answer = {"role": "tool", "tool_call_id": call["id"], "content": "", "name": name}
        return bound_tool_message({**answer, "content": await self._result(name, text)})

    async def _result(self, name: str, text: str | None) -> Content:
        try:
            arguments = parse_arguments(text)
        except ArgumentsError as error:
            return str(error)
        if name not in self._tools:
            return f"error: unknown tool {name!r}"
        try:
            return await self._tools.call(name, arguments)
        except ArgumentsTooLargeError:
            return "error: the tool arguments are too long; resend the call with shorter ones"
