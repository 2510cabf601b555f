"""Policies without a model: they try the plumbing of a run, and are no floor for a model.

Each is a function from a chat-completions request body to the assistant's message. They are given
what any policy is given, the prompt and the tool's replies, and keep nothing between requests.
None is better than chance (0.25) on stories that it was not chosen on.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from quality_rag.prompt import LETTERS, refers_to_others

Body = dict[str, Any]
Policy = Callable[[Body], dict[str, Any]]

TOOL = "search"
WINDOW = 60  # content words: a few sentences of prose

STOPWORDS = frozenset(
    """
a about after again all also am an and any are as at be because been before being but by can could
did do does doing down during each few for from had has have having he her here hers him himself his
how i if in into is it its just like me more most my no nor not now of off on once only or other our
out over own s same she so some such t than that the their them then there these they this those
through to too under until up very was we were what when where which while who whom why will with
would you your
""".split()
)


@dataclass(frozen=True)
class Asked:
    """The user's prompt, taken apart."""

    question: str
    options: tuple[str, ...]
    story: str
    """The whole story where the prompt holds it, else empty."""

    @classmethod
    def read(cls, body: Body) -> Asked:
        prompt = next(m["content"] for m in body["messages"] if m["role"] == "user")
        story, _, rest = prompt.rpartition("\n\nQuestion: ")
        question, *options = re.split(r"\n[A-D]\) ", rest)
        return cls(question, tuple(options), story.partition("\n\nStory:\n")[2])


def make_random(seed: int) -> Policy:
    """A letter by the seed and the prompt; it never searches."""

    def play(body: Body) -> dict[str, Any]:
        asked = Asked.read(body)
        letter = random.Random(f"{seed}:{asked}").choice(LETTERS)
        return {"content": f"Answer: {letter}"}

    return play


def make_keyword_reader(seed: int) -> Policy:
    """Searches with the question, then with it and each option, and answers with the option whose
    words lie closest together, and closest to the question's, in what it has read.

    It exercises the search tool over two turns. Matching words is no way to answer QuALITY: on
    questions that it was not chosen on it is at chance.
    """

    def play(body: Body) -> dict[str, Any]:
        asked = Asked.read(body)
        replies = [m["content"] for m in body["messages"] if m["role"] == "tool"]
        can_search = any(t["function"]["name"] == TOOL for t in body.get("tools") or [])
        if can_search and not replies:
            return _search([asked.question])
        if can_search and len(replies) == 1:
            return _search([f"{asked.question} {option}" for option in asked.options])
        read = _passages(replies) or [asked.story]
        scores = [_support(asked.question, option, read) for option in asked.options]
        rng = random.Random(f"{seed}:{asked}")
        best = max(range(len(scores)), key=lambda i: (scores[i], rng.random()))
        return {"content": f"Answer: {LETTERS[best]}"}

    return play


def _search(queries: Iterable[str]) -> dict[str, Any]:
    calls = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": TOOL, "arguments": json.dumps({"query": query})},
        }
        for number, query in enumerate(queries)
    ]
    return {"content": None, "tool_calls": calls}


def _passages(replies: Iterable[str]) -> list[str]:
    """Each passage once, however many searches returned it."""
    blocks = (block for reply in replies for block in re.split(r"(?m)^(?=\[passage )", reply))
    return list(dict.fromkeys(block.partition("\n")[2] for block in blocks if block.strip()))


def _words(text: str) -> list[str]:
    words = (w.removesuffix("'s") for w in re.findall(r"[\w']+", text.casefold()))
    return [re.sub(r"(?:ing|ed|es|s)$", "", w) or w for w in words if w not in STOPWORDS]


def _support(question: str, option: str, passages: list[str]) -> float:
    """How much of the option's rare words one window of a passage holds, the question's nearby."""
    if refers_to_others(option):
        return -1.0
    texts = [_words(passage) for passage in passages]
    counts = Counter(word for words in texts for word in words)
    total = sum(counts.values()) + 1
    asked, wanted = set(_words(question)), set(_words(option))

    def weight(words: set[str]) -> float:
        return sum(math.log(total / (1 + counts[word])) for word in words)

    best = 0.0
    for words in texts:
        for start in range(0, max(1, len(words) - WINDOW // 2), WINDOW // 2):
            window = set(words[start : start + WINDOW])
            found = weight(wanted & window) / math.sqrt(1 + weight(wanted))
            best = max(best, found * (1 + weight(asked & window) / (1 + weight(asked))))
    return best
