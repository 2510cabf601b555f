"""A cross-encoder over the best chunks of another ranking."""

from __future__ import annotations

import math

from inward_retrieval.batching import Batcher
from inward_retrieval.config import RerankConfig
from inward_retrieval.corpus import Corpus
from inward_retrieval.extras import optional
from inward_retrieval.local_embedder import load_model
from inward_retrieval.ranking import Ranker, Ranking

WINDOW = 0.002
"""Seconds that a query waits for others to be read with."""
QUERIES = 8
"""Maximum queries read together."""
PAIRS = 32
"""Query and chunk pairs per forward pass."""


class Reranked:
    """Orders the `top` best chunks (k, where that is more) of `ranker` by reading each."""

    def __init__(self, ranker: Ranker, name: str, corpus: Corpus, config: RerankConfig) -> None:
        """`name`: what the ranks of `ranker` are called."""
        self._ranker = ranker
        self._name = name
        self._corpus = corpus
        self._config = config
        self._model = load_model(optional("sentence_transformers", "dense").CrossEncoder, config)
        self._reader: Batcher[tuple[str, list[str]], list[float]] = Batcher(
            self._read, window=WINDOW, max_batch=QUERIES
        )

    async def rank(self, document: int, query: str, k: int) -> Ranking:
        found = await self._ranker.rank(document, query, max(k, self._config.top))
        if not found:
            return []
        chunks = self._corpus.chunks(self._corpus.ids[document])
        scores = await self._reader.submit((query, [chunks[number].text for number, _, _ in found]))
        ranked: Ranking = [
            (number, score, {**ranks, self._name: rank})
            for rank, ((number, _, ranks), score) in enumerate(zip(found, scores, strict=True), 1)
        ]
        return sorted(ranked, key=lambda item: (-item[1], item[0]))[:k]

    async def aclose(self) -> None:
        self._reader.close()
        await self._ranker.aclose()

    def _read(self, questions: list[tuple[str, list[str]]]) -> list[list[float]]:
        pairs = [(query, text) for query, texts in questions for text in texts]
        scores = iter(
            self._model.predict(pairs, batch_size=PAIRS, show_progress_bar=False).tolist()
        )
        answers = [[next(scores) for _ in texts] for _, texts in questions]
        if not all(math.isfinite(score) for answer in answers for score in answer):
            raise RuntimeError(
                f"the cross-encoder {self._config.model!r} gave a score that is not a finite "
                "number: check its weights and precision"
            )
        return answers
