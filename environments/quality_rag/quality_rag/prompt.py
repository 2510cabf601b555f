"""What the policy is told, and how its answer is read: the two must agree to the letter."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Literal

from quality_rag.answers import LETTERS, parse_answer

__all__ = [
    "LETTERS",
    "Context",
    "parse_answer",
    "refers_to_others",
    "shuffled_order",
    "system_prompt",
    "user_prompt",
]

Context = Literal["search", "full", "none"]

STORY_ACCESS: dict[Context, str] = {
    "search": (
        "The story is not shown. The search tool returns the passages of it that match a query"
        " best, or the one whose number it names; search as often as you need to."
    ),
    "full": "The whole story is given.",
    "none": "The story is not given.",
}

INSTRUCTIONS = """\
Answer a multiple-choice question about a story. {access} Exactly one of the four options counts \
as right.

When you have decided, end your reply with a line of this form, where X is A, B, C or D:
Answer: X

If the reply states several answers, the last one counts. An answer that names two different \
letters is none, and so is an option's text without its letter, or with the letter of another."""


SKIP_SEEN = " It leaves out the passages that you were shown before, unless you name their number."
READ = " The read tool returns one passage by its number."


def system_prompt(context: Context, *, skip_seen: bool = False, read: bool = False) -> str:
    """`skip_seen`, `read`: the options of the search tool's server, where there is one."""
    access = STORY_ACCESS[context]
    if context == "search":
        access += SKIP_SEEN * skip_seen + READ * read
    return INSTRUCTIONS.format(access=access)


def user_prompt(title: str, question: str, options: Sequence[str], story: str | None) -> str:
    lettered = "\n".join(
        f"{letter}) {option}" for letter, option in zip(LETTERS, options, strict=True)
    )
    parts = [f"Title: {title}"]
    if story is not None:
        parts.append(f"Story:\n{story}")
    parts.append(f"Question: {question}\n{lettered}")
    return "\n\n".join(parts)


# "Both A and C are correct", "All of the above", "None of these answers", "Options 1 and 2":
# such an option means something else once the others have moved.
_REFERS = re.compile(
    r"\b[A-D](?:\)|\.)?\s*(?:,|/|&|\band\b|\bor\b|\bnor\b)\s*\(?[A-D]\b"
    r"|(?i:\b(?:all|both|none|neither|either|any|each|two|three)\s+of\s+(?:the\s+|these|those)"
    r"(?:\s*(?:above|below|other|others|options?|choices?|answers?|statements?))?\b)"
    r"|(?i:\b(?:options?|choices?|answers?)\s+(?:[A-D]\b|[1-4]\b))"
    r"|(?i:\b(?:above|below|other|previous|preceding)\s+(?:options?|choices?|answers?)\b)"
    r"|(?i:^\s*(?:both|all|none|neither|either)\b(?:\s+\w+){0,4}\s+(?:correct|true|right|apply)\b)"
    r"|(?i:^\s*(?:both|all|none|neither|either)\s*[.!]?\s*$)"
    r"|(?i:\b(?:the|of)\s+above\b)"
)


def refers_to_others(option: str) -> bool:
    """Whether an option speaks of the other options, so that the four must stay in order."""
    return _REFERS.search(option) is not None


def shuffled_order(options: Sequence[str], seed: int, question_id: str) -> list[int]:
    """Indices into `options` in the order to show, the same for one seed and question."""
    order = list(range(len(options)))
    if not any(map(refers_to_others, options)):
        random.Random(f"{seed}:{question_id}").shuffle(order)
    return order
