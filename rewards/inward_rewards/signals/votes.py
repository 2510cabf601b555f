"""Rewards without a gold answer: what a group's answers say of each other.

A vote is no verification. All of them pay a group that agrees on a wrong answer as much as one that
agrees on the right one, and a policy that gives every problem one constant answer earns the most
there is. A sibling without an answer is None: it has no part in the votes and earns 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

Same = Callable[[str, str], Awaitable[bool]]
"""Whether two answers say the same; of two texts that are not equal."""


async def clusters(answers: Sequence[str | None], same: Same) -> list[int | None]:
    """The cluster of each sibling's answer, numbered by first appearance; None: no answer.

    Each new text is compared with the first answer of each cluster, in order: at most n(n-1)/2
    comparisons, and none of equal texts.
    """
    first: list[str] = []
    known: dict[str, int] = {}
    found: list[int | None] = []
    for answer in answers:
        text = "" if answer is None else answer.strip()
        if not text:
            found.append(None)
            continue
        if text not in known:
            known[text] = await _cluster(text, first, same)
        found.append(known[text])
    return found


async def _cluster(text: str, first: list[str], same: Same) -> int:
    for index, other in enumerate(first):
        if await same(other, text):
            return index
    first.append(text)
    return len(first) - 1


def majority(votes: Sequence[int | None]) -> list[float]:
    """[answer = the most frequent answer]: 1 or 0 per sibling. Of equally frequent ones, the one
    that came first.

    Source: TTRL (arXiv 2504.16084): 64 votes, 32 of which are trained on.
    """
    counts = Counter(vote for vote in votes if vote is not None)
    if not counts:
        return [0.0] * len(votes)
    label = min(counts, key=lambda vote: (-counts[vote], vote))
    return [float(vote == label) for vote in votes]


def semantic_entropy(votes: Sequence[int | None]) -> list[float]:
    """The share of the group that is in each sibling's cluster: 0 to 1.

    What EMPO pays to make the semantic entropy of its policy small. Source: EMPO (arXiv
    2504.05812).
    """
    counts = Counter(vote for vote in votes if vote is not None)
    return [0.0 if vote is None else counts[vote] / len(votes) for vote in votes]


def answer_entropy(votes: Sequence[int | None]) -> float:
    """-Σ p ln p over the clusters of those that answered: nats; 0 where none did."""
    counts = Counter(vote for vote in votes if vote is not None)
    total = sum(counts.values())
    return -math.fsum(n / total * math.log(n / total) for n in counts.values()) + 0.0


def ttrv(votes: Sequence[int | None], *, alpha: float) -> list[float]:
    """share of the sibling's answer + alpha · (-H(P)), H the group's answer entropy in nats.

    The second term is one number for the whole group: an algorithm that subtracts the group's mean
    (GRPO, RLOO) removes it, and what is left is `semantic_entropy`.
    Source: TTRV (arXiv 2510.06783).
    """
    shared = -alpha * answer_entropy(votes)
    return [share + shared for share in semantic_entropy(votes)]
