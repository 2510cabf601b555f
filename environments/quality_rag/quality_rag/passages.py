"""The text of a tool's result, written for the policy and read back for the metrics.

It is read back from the trace, not counted in the server, so that a saved run can be scored again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Literal

import verifiers.v1 as vf
from inward_retrieval import Chunk, Hit

Backend = Literal["bm25", "dense", "api", "hybrid"]

NOTHING_FOUND = "No passage of the story matches this query."
NOTHING_NEW = "Every passage of the story that matches this query has been shown before."
_MEANING = "The search reads the meaning of the query: ask in a whole sentence."
HINTS: dict[Backend, str] = {
    "bm25": (
        "The search matches words: use words that the story itself may use, such as names of"
        " people, places and things."
    ),
    "dense": _MEANING,
    "api": _MEANING,
    "hybrid": (
        "The search reads the words of the query and its meaning: ask in a whole sentence, in"
        " words that the story itself may use."
    ),
}

_HEAD = re.compile(
    r"^\[passage (\d+) of (\d+), \d+% into the story(?:, best match|, match \d+)?\]\n", re.MULTILINE
)
_BY_NUMBER = re.compile(
    r"\W*(?:(?:read|show|get|open|find)\s+(?:me\s+)?)?passage\W*(?:(?:number|no)\b\W*)?(\d{1,9})"
    r"(?:\s+of\s+\d+)?(?:, \d+% into the story.*)?\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class StoryPassages:
    """A story's passages, each under a head that says where it stands."""

    chars: int
    chunks: Sequence[Chunk]

    def render(self, hits: Sequence[Hit]) -> str:
        """The passages that a search found, best first, put in story order, each under its number,
        its place in the story, and its rank."""
        ranked = sorted(enumerate(hits, 1), key=lambda item: item[1].chunk.start)
        return "\n\n".join(
            self._passage(hit.chunk, ", best match" if rank == 1 else f", match {rank}")
            for rank, hit in ranked
        )

    def render_one(self, number: int) -> str:
        """The passage of that number, from 1."""
        return self._passage(self.chunks[number - 1], "")

    def _passage(self, chunk: Chunk, rank: str) -> str:
        number = f"passage {chunk.id + 1} of {len(self.chunks)}"
        place = f"{100 * chunk.start // self.chars}% into the story"
        return f"[{number}, {place}{rank}]\n{chunk.text.strip()}"

    def nothing(self, backend: Backend, *, seen_before: bool) -> str:
        """What an empty result says: that it is one, and what to do."""
        total = len(self.chunks)
        by_number = f'"passage {total}" finds the last of {total} passages.'
        return f"{NOTHING_NEW if seen_before else NOTHING_FOUND} {HINTS[backend]} {by_number}"

    def no_such_passage(self, number: int) -> str:
        return f"There is no passage {number}: the story has passages 1 to {len(self.chunks)}."


def asked_number(query: str) -> int | None:
    """The number in a query that asks for a passage by it, as the heads name it."""
    match = _BY_NUMBER.fullmatch(query)
    return int(match[1]) if match else None


def shown(results: Iterable[vf.ToolMessage]) -> Iterator[tuple[int, str]]:
    """Number and text of every passage in the results, as often as it was shown."""
    return ((number, text) for _, number, _, text in places(results))


def places(results: Iterable[vf.ToolMessage]) -> Iterator[tuple[int, int, int, str]]:
    """Of every passage in the results, as often as it was shown: which result, from 1; its number;
    how many passages the story has; and its text."""
    for result, message in enumerate(results, 1):
        if isinstance(message.content, str):
            heads = list(_HEAD.finditer(message.content))
            for head, after in zip_longest(heads, heads[1:]):
                end = after.start() if after else len(message.content)
                text = message.content[head.end() : end].strip()
                yield result, int(head[1]), int(head[2]), text


def characters_seen(passages: Iterable[tuple[int, str]], overlap: int) -> int:
    """Characters of the story in the passages, each counted once. `overlap`: maximum words
    that a passage shares with the one before it."""
    texts = sorted(dict(passages).items())
    # Starts and ends both grow with the number, by a word at least: what overlaps is the end of
    # one and the next, and no two whose numbers lie further apart.
    twice = sum(_shared(a, b) for (m, a), (n, b) in pairwise(texts) if n - m <= overlap)
    return sum(len(text) for _, text in texts) - twice


def _shared(first: str, second: str) -> int:
    """Length of the longest end of `first` that `second` begins with."""
    longest = min(len(first), len(second))
    return next((n for n in range(longest, 0, -1) if second.startswith(first[-n:])), 0)


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
