"""Whether search finds the evidence.

No gold passages are needed. `known_item_recall` asks for sentences whose place is known.
`option_contrast` asks multiple-choice questions: the document should speak more for the right
option than for the wrong ones, and a search that sees that helps a reader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TypeVar

from inward_statistics import Mean, clustered_mean

from inward_retrieval.known_item import KnownItem
from inward_retrieval.retriever import Hit, Retriever

CONCURRENT = 64
"""Searches under way at once, so that a backend that batches can."""
Item = TypeVar("Item")
T = TypeVar("T")


@dataclass(frozen=True)
class Recall:
    """How often, and how high, the passage of a known sentence was found."""

    at_1: Mean
    at_5: Mean
    mrr: Mean
    """Mean of 1 / rank of the passage; 0 where it was not found."""


@dataclass(frozen=True)
class ChoiceQuestion:
    """A multiple-choice question on one document."""

    document_id: str
    question: str
    options: Sequence[str]
    gold: int
    """Position of the right option in `options`, from 0."""


@dataclass(frozen=True)
class Contrast:
    """Question + right option against question + each wrong option; one value per question."""

    wins: Mean
    """Share of the wrong options whose best passage scores lower than the right option's; a tie
    counts half, and 0.5 is chance. Scores of bm25 grow with the option's length."""
    margin: Mean
    """In the ranking for the bare question: how many ranks the right option's best passage stands
    above those of the wrong options, over the number of chunks less one. From -1 to 1; 0 is
    chance."""


async def known_item_recall(retriever: Retriever, items: Sequence[KnownItem]) -> Recall:
    """A chunk counts as found where it holds the middle of the sentence."""
    ranks = await _few_at_a_time(lambda item: _rank_of(retriever, item), items)
    documents = [item.document_id for item in items]
    return Recall(
        at_1=clustered_mean([float(rank == 1) for rank in ranks], documents),
        at_5=clustered_mean([float(0 < rank <= 5) for rank in ranks], documents),
        mrr=clustered_mean([1 / rank if rank else 0.0 for rank in ranks], documents),
    )


async def option_contrast(retriever: Retriever, questions: Sequence[ChoiceQuestion]) -> Contrast:
    """See `Contrast`. Raises ValueError for a question without a wrong option."""
    for question in questions:
        if len(question.options) < 2 or not 0 <= question.gold < len(question.options):
            raise ValueError(
                f"question {question.question!r}: gold={question.gold} of {len(question.options)} "
                "options: it needs a right and a wrong one"
            )
    pairs = await _few_at_a_time(lambda question: _contrast(retriever, question), questions)
    documents = [question.document_id for question in questions]
    return Contrast(
        wins=clustered_mean([wins for wins, _ in pairs], documents),
        margin=clustered_mean([margin for _, margin in pairs], documents),
    )


async def _few_at_a_time(
    work: Callable[[Item], Coroutine[None, None, T]], items: Sequence[Item]
) -> list[T]:
    results: list[T] = []
    for at in range(0, len(items), CONCURRENT):
        results += await asyncio.gather(*map(work, items[at : at + CONCURRENT]))
    return results


async def _rank_of(retriever: Retriever, item: KnownItem) -> int:
    """Rank, from 1, of the first chunk that holds the middle of the sentence; 0: not found."""
    middle = (item.start + item.end) // 2
    hits = await _search_all(retriever, item.document_id, item.query)
    return next(
        (rank for rank, hit in enumerate(hits, 1) if hit.chunk.start <= middle < hit.chunk.end), 0
    )


async def _contrast(retriever: Retriever, question: ChoiceQuestion) -> tuple[float, float]:
    document = question.document_id
    best = [
        (await retriever.search(document, f"{question.question} {option}", 1))[:1]
        for option in question.options
    ]
    order = [hit.chunk.id for hit in await _search_all(retriever, document, question.question)]
    last = len(retriever.chunks(document))
    ranks = [_position(order, hits, last) for hits in best]
    scores = [hits[0].score if hits else 0.0 for hits in best]
    wrong = [number for number in range(len(best)) if number != question.gold]
    gold_score, gold_rank = scores[question.gold], ranks[question.gold]
    wins = [
        1.0 if gold_score > scores[number] else 0.5 if gold_score == scores[number] else 0.0
        for number in wrong
    ]
    margins = [(ranks[number] - gold_rank) / max(last - 1, 1) for number in wrong]
    return sum(wins) / len(wrong), sum(margins) / len(wrong)


def _position(order: list[int], hits: list[Hit], last: int) -> int:
    """Rank of the first hit's chunk in `order`; `last` where it is not there."""
    return order.index(hits[0].chunk.id) + 1 if hits and hits[0].chunk.id in order else last


async def _search_all(retriever: Retriever, document_id: str, query: str) -> list[Hit]:
    return await retriever.search(document_id, query, len(retriever.chunks(document_id)))
