"""The text of a search result, written for the policy and read back for the metrics.

It is read back from the trace, not counted in the server, so that a saved run can be scored again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

import verifiers.v1 as vf
from inward_retrieval import Hit

NOTHING_FOUND = "No passage of the story matches this query."

_PASSAGE = re.compile(r"^\[passage (\d+), \d+% into the story\]\n", re.MULTILINE)


def render(hits: Sequence[Hit], story_chars: int) -> str:
    """The passages in story order, each under its number and its place in the story."""
    if not hits:
        return NOTHING_FOUND
    return "\n\n".join(
        f"[passage {hit.chunk.id}, {100 * hit.chunk.start // story_chars}% into the story]\n"
        f"{hit.chunk.text.strip()}"
        for hit in sorted(hits, key=lambda hit: hit.chunk.start)
    )


def characters_seen(results: Iterable[vf.ToolMessage]) -> int:
    """Characters of the story in the results, each passage counted once."""
    seen: dict[str, int] = {}
    for message in results:
        if isinstance(message.content, str):
            _, *parts = _PASSAGE.split(message.content)
            for number, text in zip(parts[::2], parts[1::2], strict=True):
                seen[number] = len(text.strip())
    return sum(seen.values())


def queries(replies: Iterable[vf.AssistantMessage]) -> list[str]:
    """Each search's query, case and spacing aside; a call without one counts by its raw text."""
    calls = (call for reply in replies for call in reply.tool_calls or ())
    return [_query(call.arguments) for call in calls if call.name == "search"]


def _query(arguments: str) -> str:
    try:
        parsed = json.loads(arguments)
    except (json.JSONDecodeError, RecursionError):
        return arguments
    query = parsed.get("query") if isinstance(parsed, dict) else None
    return " ".join(query.casefold().split()) if isinstance(query, str) else arguments
