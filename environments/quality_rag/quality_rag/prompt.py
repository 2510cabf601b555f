"""What the policy is told, and how its answer is read: the two must agree to the letter."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Literal

Context = Literal["search", "full", "none"]

LETTERS = "ABCD"

STORY_ACCESS: dict[Context, str] = {
    "search": (
        "The story is not shown. The search tool returns the passages of it that match a query"
        " best; search as often as you need to."
    ),
    "full": "The whole story is given.",
    "none": "The story is not given.",
}

INSTRUCTIONS = """\
Answer a multiple-choice question about a story. {access} Exactly one of the four options counts \
as right.

When you have decided, end your reply with a line of this form, where X is A, B, C or D:
Answer: X

If there are several such lines, the last one counts. A line that names two different letters is \
no answer, and so is a line with an option's text instead of its letter."""


def system_prompt(context: Context) -> str:
    return INSTRUCTIONS.format(access=STORY_ACCESS[context])


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


_CLOSED_THINKING = re.compile(r"^.*</think>", re.DOTALL)
_ANSWER_LINE = re.compile(r"^[ \t>#*_`-]*answer[*_`]*[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_MARKUP = " \t\r*_`"
_LETTER = re.compile(r"\(?([A-D])(?![\w])\)?[ \t*_`]*[).:,;–—-]*(.*)", re.DOTALL)
_BARE = re.compile(r"[\s*_`(]*([A-Da-d])[\s*_`).]*")


def parse_answer(reply: str, options: Sequence[str]) -> str | None:
    """The letter that a final reply answers with, or None where it gives no answer.

    `Answer: B`, with the markup and brackets that models put around it, is an answer; the option's
    own text may follow its letter. A reply that is nothing but a letter is one too. Everything
    else is none: an option's text without its letter, two letters, a letter with another option's
    text, and whatever stands inside `<think>`, closed or not.
    """
    text = _CLOSED_THINKING.sub("", reply).split("<think>", 1)[0]
    if bare := _BARE.fullmatch(text):
        return bare[1].upper()
    lines = _ANSWER_LINE.findall(text)
    if not lines:
        return None
    line = lines[-1].strip(_MARKUP)
    if re.fullmatch(r"\(?[a-d][).]?", line):
        line = line.upper()
    match = _LETTER.fullmatch(line)
    if match is None:
        return None
    letter, rest = match[1], match[2].strip(_MARKUP)
    if rest.strip(".!") and _plain(rest) != _plain(options[LETTERS.index(letter)]):
        return None
    return letter


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())
