"""Reciprocal rank fusion of words and meaning [Cormack et al. 2009]."""

from __future__ import annotations

import numpy as np

from inward_retrieval.bm25 import Bm25
from inward_retrieval.dense import Dense
from inward_retrieval.embedders import Vectors
from inward_retrieval.ranking import Ranking


class Hybrid:
    """Scores a chunk by the sum, over the parts that found it, of 1 / (k + its rank there)."""

    def __init__(self, bm25: Bm25, dense: Dense, *, dense_name: str, k: int) -> None:
        self._bm25 = bm25
        self._dense = dense
        self._dense_name = dense_name
        self._k = k

    async def rank(self, document: int, query: str, k: int) -> Ranking:
        vector = await self._dense.embed(query)
        return [] if vector is None else self.fuse(document, query, vector, k)

    def fuse(self, document: int, query: str, vector: Vectors, k: int) -> Ranking:
        """The k best chunks of the document for `query`, whose embedding is `vector`."""
        by_meaning = self._dense.order(document, vector)
        by_words = self._bm25.order(document, query)
        total = len(by_meaning)
        word_ranks = np.zeros(total, dtype=np.intp)  # 0: not found
        word_ranks[by_words] = np.arange(1, len(by_words) + 1)
        meaning_ranks = np.empty(total, dtype=np.intp)
        meaning_ranks[by_meaning] = np.arange(1, total + 1)
        scores = 1 / (self._k + meaning_ranks) + (word_ranks > 0) / (self._k + word_ranks)
        best = (-scores).argsort(kind="stable")[:k].tolist()
        return [
            (chunk, scores.item(chunk), self._ranks(word_ranks[chunk], meaning_ranks[chunk]))
            for chunk in best
        ]

    def _ranks(self, words: int, meaning: int) -> dict[str, int]:
        own = {self._dense_name: int(meaning)}
        return {"bm25": int(words), **own} if words else own

    async def aclose(self) -> None:
        await self._dense.aclose()
