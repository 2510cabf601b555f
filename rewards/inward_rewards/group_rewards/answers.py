"""What a rollout answered, and which answers of a group say the same.

A policy wrote all of them. One that the maths verifier cannot read, or that breaks its limits,
equals only its own text and is compared with nothing: it costs one check and no more.
"""

from __future__ import annotations

from collections.abc import Sequence

from inward_rewards.formats import ThinkAnswer
from inward_rewards.group_rewards.config import VotesConfig
from inward_rewards.signals import clusters

PROBE = "1"


def answer_of(reply: ThinkAnswer | None, config: VotesConfig) -> str | None:
    """None: it has none."""
    if reply is None:
        return None
    if config.answer == "marked":
        return reply.answer_or_box
    lines = [line.strip() for line in reply.body.splitlines() if line.strip()]
    return lines[-1] if lines else None


async def votes_of(answers: Sequence[str | None], config: VotesConfig) -> list[int | None]:
    """The cluster of each answer, by first appearance; None: no answer."""
    if config.same == "text":
        normal = [None if a is None else " ".join(a.split()).casefold() for a in answers]
        return await clusters(normal, _never)
    readable = {text: await _readable(text) for text in {a.strip() for a in answers if a}}

    async def same(one: str, other: str) -> bool:
        return readable[one] and readable[other] and await _equal(one, other)

    return await clusters(answers, same)


async def _never(one: str, other: str) -> bool:
    """Texts that differ say different things."""
    return False


async def _readable(text: str) -> bool:
    from inward_rewards.maths import verify

    try:
        return not (await verify(text, PROBE)).verify_timeout
    except (
        ValueError
    ):  # of a text in the gold answer's place: empty, over-long, unreadable, endless
        return False


async def _equal(one: str, other: str) -> bool:
    from inward_rewards.maths import verify

    return (await verify(one, other)).correct
