"""How well each retriever finds the evidence, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from inward_retrieval.config import RetrieverConfig
from inward_retrieval.known_item import SENTENCE_WORDS, known_items
from inward_retrieval.recall import (
    ChoiceQuestion,
    Contrast,
    Recall,
    known_item_recall,
    option_contrast,
)
from inward_retrieval.retriever import build_retriever

HEADS = ("retriever", "chunk words", "recall@1", "recall@5", "MRR", "option wins", "option margin")


@dataclass(frozen=True)
class RetrieverScores:
    """One retriever with one chunk size."""

    config: RetrieverConfig
    recall: Recall
    contrast: Contrast | None
    """None where there are no questions."""

    def cells(self) -> tuple[str, ...]:
        config, recall, contrast = self.config, self.recall, self.contrast
        name = config.type + (" + rerank" if config.rerank else "")
        contrasts = (contrast.wins, contrast.margin) if contrast else ("-", "-")
        figures = (recall.at_1, recall.at_5, recall.mrr, *contrasts)
        return (name, str(config.chunk_words), *map(str, figures))


async def compare(
    documents: Mapping[str, str],
    questions: Sequence[ChoiceQuestion],
    configs: Sequence[RetrieverConfig],
    *,
    queries: int = 20,
    seed: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> list[RetrieverScores]:
    """Evaluates each config on the same queries: `queries` known items per document, and every
    question. Builds indexes in the calling thread. ValueError where no sentence makes a query."""
    items = known_items(documents, per_document=queries, seed=seed)
    if not items:
        raise ValueError(
            f"no sentence of the {len(documents)} documents makes a query: known items are made of "
            f"English sentences of {SENTENCE_WORDS[0]} to {SENTENCE_WORDS[-1]} words; give longer "
            "documents"
        )
    rows = []
    for config in configs:
        progress(f"{config.type}, chunks of {config.chunk_words} words")
        async with build_retriever(documents, config) as retriever:
            recall = await known_item_recall(retriever, items)
            contrast = await option_contrast(retriever, questions) if questions else None
        rows.append(RetrieverScores(config, recall, contrast))
    return rows


def markdown(rows: Sequence[RetrieverScores]) -> str:
    """The rows as a Markdown table, padded so that it reads well in a terminal too."""
    table = [HEADS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADS))]
    lines = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in table
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
