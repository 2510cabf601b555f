"""Replies of the form `<think>…</think> <answer>…</answer>`, boxed answers, and their rewards."""

from __future__ import annotations

from dataclasses import dataclass

OPEN_THINK, CLOSE_THINK = "<think>", "</think>"
OPEN_ANSWER, CLOSE_ANSWER = "<answer>", "</answer>"


@dataclass(frozen=True)
class ThinkAnswer:
    """What a reply holds. Tags inside the thinking are thinking: nothing there is an answer."""

    thinking: str | None
    """None: no thinking, or one that never ends."""
    answer: str | None
    """The text of the only answer block outside the thinking; None: no block, an empty one, or
    more than one."""
    body: str
    """The reply without its thinking."""
    well_formed: bool
    """The reply begins with a thinking block, and one answer block follows; neither is blank."""


def parse_reply(content: str | None, reasoning: str | None = None) -> ThinkAnswer:
    """`reasoning`: the thinking where the server has already split it off the content."""
    split = (reasoning, content or "", True) if reasoning is not None else _split(content or "")
    thinking, body, first = split
    answer = _only_block(body)
    stray = OPEN_THINK in body or CLOSE_THINK in body
    complete = bool(thinking and thinking.strip()) and answer is not None
    return ThinkAnswer(thinking, answer, body, complete and first and not stray)


def _split(text: str) -> tuple[str | None, str, bool]:
    """(thinking, what follows it, whether the reply begins with it)."""
    before, opened, rest = text.partition(OPEN_THINK)
    if not opened:
        return None, text, False
    thinking, closed, body = rest.partition(CLOSE_THINK)
    if not closed:
        return None, before, False
    return thinking, before + body, not before.strip()


def _only_block(body: str) -> str | None:
    if body.count(OPEN_ANSWER) != 1 or body.count(CLOSE_ANSWER) != 1:
        return None
    start, stop = body.index(OPEN_ANSWER) + len(OPEN_ANSWER), body.index(CLOSE_ANSWER)
    return body[start:stop].strip() or None


def format_reward(reply: ThinkAnswer, *, good: float = 0.2, bad: float = -0.5) -> float:
    """Source of the two values: Advent of Small ML (2025), day 7."""
    return good if reply.well_formed else bad


def last_boxed(text: str) -> str | None:
    """What the last `\\boxed{…}` holds, braces matched; None: there is none, or it never closes."""
    head = "\\boxed{"
    start = text.rfind(head)
    if start < 0:
        return None
    depth = 1
    for position in range(start + len(head), len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start + len(head) : position].strip() or None
    return None
