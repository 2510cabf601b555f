"""Tool calls that no tool could take: the model's fault, and invisible in a reward of 0.

There are two kinds. A call that reaches the harness and is refused there, for an unknown tool,
arguments that are no JSON object, or an argument that is missing or of the wrong type, stands in
the trace. A call that the model wrote and that nothing read as one does not: the train client's
renderer drops what it cannot parse, and an engine without a tool parser leaves it in the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import verifiers.v1 as vf
from inward_chat.verifiers_compat import ElasticRendererPool

_OPENINGS = (
    *("<tool_call>", "<function=", "<|python_tag|>", "[TOOL_CALLS]", "<minimax:tool_call>"),
    *("<｜tool▁call▁begin｜>", "<|tool_call_begin|>", "to=functions."),
)
"""How the chat templates of Qwen and Hermes, Llama, Mistral, MiniMax, DeepSeek, Kimi and gpt-oss
open a call."""
_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int, str)}
"""What a server takes for a parameter's JSON type; it checks the others itself."""


def refused(replies: Iterable[vf.AssistantMessage], tools: Iterable[vf.Tool]) -> int:
    """Calls in the replies that none of the offered tools can take."""
    schemas = {tool.name: tool.parameters for tool in tools}
    calls = (call for reply in replies for call in reply.tool_calls or ())
    return sum(not _fits(call.arguments, schemas.get(call.name)) for call in calls)


def _fits(text: str, schema: Mapping[str, Any] | None) -> bool:
    try:
        arguments = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return False
    if schema is None or not isinstance(arguments, dict):
        return False
    parameters = schema.get("properties", {})
    return all(
        name in arguments
        and isinstance(arguments[name], _TYPES.get(parameters[name].get("type"), (object,)))
        for name in schema.get("required", ())
    )


def in_text(replies: Iterable[vf.AssistantMessage]) -> int:
    """Calls that stand in the text of replies which call no tool."""
    return sum(
        max(map(reply.content.count, _OPENINGS))
        for reply in replies
        if isinstance(reply.content, str) and not reply.tool_calls
    )


def dropped(response: vf.Response) -> int:
    """Calls in a sampled completion of the train client that are missing from its message.

    The trace holds a completion's token ids, and text only of what was parsed: the renderer that
    parsed it is asked again. Other clients have none, and nothing to drop.
    """
    tokens, message = response.tokens, response.message
    if tokens is None:
        return 0
    # Lists on verifiers 0.4.0, arrays of numpy later.
    completion, prompt = list(map(int, tokens.completion_ids)), list(map(int, tokens.prompt_ids))
    for slot in (slots[0] for slots in ElasticRendererPool._renderers.values() if slots):
        parsed = slot.renderer.parse_response(completion, prompt_ids=prompt)
        if (parsed.content or None) == message.content:  # not another model's renderer
            return len(parsed.tool_calls) - len(message.tool_calls or ())
    return 0
