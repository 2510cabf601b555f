"""How new a proposal is: what of it stood in one that was made recently."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from typing import Protocol, Self

from inward_rewards.charts import Scene, text_f1

SAME_NUMBER = 0.01
"""Parts of what its scale spans by which two numbers may differ and be the same."""
REPEAT = 0.9
"""Sameness from which a proposal counts as a repeat."""
RUN = 3
"""Words that stand side by side."""
WORD = re.compile(r"[^\W\d_]+")


class Content(Protocol):
    """What makes a proposal this one and no other. Each is itself alone: equal ones are two."""

    def sameness(self, other: Content, /) -> float:
        """In [0, 1]; with contents of its own class alone."""
        ...


@dataclass(frozen=True, eq=False)
class Shown:
    """Of a chart whose texts and numbers are known."""

    words: tuple[str, ...]
    """Its texts that are no numbers."""
    numbers: tuple[tuple[float, float], ...]
    """Value and tolerance of each row, in ascending order."""

    @classmethod
    def of(cls, scene: Scene) -> Self:
        words = [text for text in scene.texts if any(letter.isalpha() for letter in text)]
        numbers = [(row.value, SAME_NUMBER * (row.span or abs(row.value))) for row in scene.rows]
        return cls(tuple(words), tuple(sorted(numbers)))

    def sameness(self, other: Content) -> float:
        """The larger of two F1: of the words, and of the numbers whatever their names.
        Neither new words over old numbers nor new numbers under old words are a new chart.
        """
        assert isinstance(other, Shown)
        words = text_f1(other.words, self.words) if self.words and other.words else 0.0
        return max(words, self._shared_numbers(other))

    def _shared_numbers(self, other: Shown) -> float:
        """F1 of the numbers, paired in ascending order."""
        mine, theirs, shared, at = self.numbers, other.numbers, 0, 0
        for value, tolerance in mine:
            while at < len(theirs) and theirs[at][0] < value - tolerance:
                at += 1
            if at < len(theirs) and theirs[at][0] <= value + tolerance:
                shared, at = shared + 1, at + 1
        return 2 * shared / (len(mine) + len(theirs)) if mine and theirs else 0.0


@dataclass(frozen=True, eq=False)
class Worded:
    """Of an image prompt."""

    words: frozenset[str]
    runs: frozenset[tuple[str, ...]]
    """Of `RUN` words."""

    @classmethod
    def of(cls, prompt: str) -> Self:
        words = words_of(prompt)
        runs = zip(*(words[number:] for number in range(RUN)), strict=False)
        return cls(frozenset(words), frozenset(runs))

    def sameness(self, other: Content) -> float:
        """The larger of the F1 of the different words, whatever their order and the numbers between
        them, and of the part of the runs of either prompt that stand in the other. Neither another
        order nor more words around an old prompt make a new one.
        """
        assert isinstance(other, Worded)
        both = len(self.words) + len(other.words)
        words = 2 * len(self.words & other.words) / both if both else 0.0
        shorter = min(len(self.runs), len(other.runs))
        return max(words, len(self.runs & other.runs) / shorter if shorter else 0.0)


def words_of(text: str) -> list[str]:
    """Its words in order, without case; numbers are none."""
    return WORD.findall(text.casefold())


class Recent:
    """The last proposals, of one environment worker."""

    def __init__(self, size: int) -> None:
        self._kept: deque[Content] = deque(maxlen=size)
        self._meeting = asyncio.Lock()

    async def meet(self, content: Content) -> float:
        """Its sameness with the most similar of them, which it joins. One at a time: of two that
        are alike, one is the first."""
        async with self._meeting:
            found = await asyncio.to_thread(_most_similar, content, list(self._kept))
            self._kept.append(content)
        return found

    def forget(self, content: Content) -> None:
        """As if it had not been proposed, where it is still known."""
        if content in self._kept:
            self._kept.remove(content)


def _most_similar(content: Content, others: list[Content]) -> float:
    return max((content.sameness(other) for other in others), default=0.0)


def novelty(sameness: float) -> float:
    """1 - sameness^2: charts that share a few words, as months, lose little; a copy loses all."""
    return 1 - sameness**2
