"""Replies of the form `<think>…</think> <answer>…</answer>`, boxed answers, and their rewards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Layout = Literal["tags", "boxed"]
"""What a reply looks like. `tags`: `<think>…</think> <answer>…</answer>`. `boxed`: reasoning, then
one `\\boxed{…}`."""

OPEN_THINK, CLOSE_THINK = "<think>", "</think>"
OPEN_ANSWER, CLOSE_ANSWER = "<answer>", "</answer>"
BOX = "\\boxed{"


class Message(Protocol):
    """An assistant message as verifiers keeps it."""

    @property
    def content(self) -> str | None: ...
    @property
    def reasoning_content(self) -> str | None: ...


@dataclass(frozen=True)
class ThinkAnswer:
    """What a reply holds. Tags inside the thinking are thinking: nothing there is an answer."""

    thinking: str | None
    """None: no thinking, or one that never ends. What precedes a `</think>` that nothing opened is
    thinking: templates may open it in the prompt."""
    answer: str | None
    """The text of the only answer block outside the thinking; None: no block, an empty one, or
    more than one. A block that never closes ends with the reply: a stop string eats its tag."""
    body: str
    """The reply without its thinking."""
    well_formed: bool
    """The reply begins with a thinking block, and one answer block follows; all four tags are
    there, and neither block is blank. In the layout `boxed`: reasoning, then one box."""

    @property
    def answer_or_box(self) -> str | None:
        """The answer block or, in a reply without any, what its last `\\boxed{}` holds."""
        return self.answer if OPEN_ANSWER in self.body else last_boxed(self.body)


def parse_reply(
    content: str | None, reasoning: str | None = None, layout: Layout = "tags"
) -> ThinkAnswer:
    """`reasoning`: the thinking where the server has already split it off the content."""
    content = content or ""
    if layout == "boxed":
        return _parse_boxed(content, reasoning)
    if reasoning is None:
        thinking, body, first = _split(content)
        stray = OPEN_THINK in body or CLOSE_THINK in body
    else:
        thinking, first, stray = reasoning, True, OPEN_THINK in content or CLOSE_THINK in content
        body = content if OPEN_THINK in content else content.rpartition(CLOSE_THINK)[2]
    answer = _only_block(body)
    complete = bool(thinking and thinking.strip()) and answer is not None and CLOSE_ANSWER in body
    return ThinkAnswer(thinking, answer, body, complete and first and not stray)


def last_reply(messages: Sequence[Message], layout: Layout = "tags") -> ThinkAnswer | None:
    """A rollout's last reply, of its assistant messages; None where the policy never spoke."""
    if not messages:
        return None
    return parse_reply(messages[-1].content, messages[-1].reasoning_content, layout)


def _parse_boxed(content: str, reasoning: str | None) -> ThinkAnswer:
    """The answer is what the only box outside the thinking holds: two are none. Well formed: some
    reasoning stands before the box, in thinking tags or not, and thinking that begins also ends."""
    if reasoning is None:
        thinking, body, _ = _split(content)
    else:
        thinking, body = reasoning, content.rpartition(CLOSE_THINK)[2]
    before, opened, after = body.partition(BOX)
    answer = last_boxed(body) if opened and BOX not in after else None
    reasoned = bool(before.strip() or (thinking or "").strip())
    endless = thinking is None and OPEN_THINK in content
    stray = OPEN_THINK in body or CLOSE_THINK in body
    well_formed = answer is not None and reasoned and not endless and not stray
    return ThinkAnswer(thinking, answer, body, well_formed)


def _split(text: str) -> tuple[str | None, str, bool]:
    """(thinking, what follows it, whether the reply begins with its tag)."""
    before, opened, rest = text.partition(OPEN_THINK)
    if CLOSE_THINK in before or not opened:
        thinking, closed, body = text.partition(CLOSE_THINK)
        return (thinking, body, False) if closed else (None, text, False)
    thinking, closed, body = rest.partition(CLOSE_THINK)
    if not closed:
        return None, before, False
    return thinking, before + body, not before.strip()


def _only_block(body: str) -> str | None:
    before, opened, rest = body.partition(OPEN_ANSWER)
    block, _, after = rest.partition(CLOSE_ANSWER)
    tags = before + block + after
    if not opened or OPEN_ANSWER in tags or CLOSE_ANSWER in tags:
        return None
    return block.strip() or None


def format_reward(reply: ThinkAnswer, *, good: float = 0.2, bad: float = -0.5) -> float:
    """Source of the two values: Advent of Small ML (2025), day 7."""
    return good if reply.well_formed else bad


def last_boxed(text: str) -> str | None:
    """What the last `\\boxed{…}` holds, braces matched; None: there is none, or it never closes."""
    start = text.rfind(BOX)
    if start < 0:
        return None
    depth = 1
    for position in range(start + len(BOX), len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start + len(BOX) : position].strip() or None
    return None
