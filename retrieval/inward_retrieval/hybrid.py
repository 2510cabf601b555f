"""Reciprocal rank fusion of words and meaning [Cormack et al. 2009]."""

from __future__ import annotations

from inward_retrieval.bm25 import Bm25
from inward_retrieval.dense import Dense
from inward_retrieval.ranking import Ranking

DEPTH = 100
"""How many chunks of each part are fused; a story of 5,000 words has some 35."""


class Hybrid:
    """Scores a chunk by the sum over both parts of 1 / (k + its rank there)."""

    def __init__(self, bm25: Bm25, dense: Dense, *, dense_name: str, k: int) -> None:
        self._bm25 = bm25
        self._dense = dense
        self._dense_name = dense_name
        self._k = k

    async def rank(self, document: int, query: str, k: int) -> Ranking:
        depth = max(k, DEPTH)
        by_meaning = [chunk for chunk, _, _ in await self._dense.rank(document, query, depth)]
        by_words = [chunk for chunk, _ in self._bm25.best(document, query, depth)]
        return self.fuse(by_words, by_meaning, k)

    def fuse(self, by_words: list[int], by_meaning: list[int], k: int) -> Ranking:
        """The k best of two rankings of chunk numbers."""
        scores = {chunk: 1 / (self._k + rank) for rank, chunk in enumerate(by_words, 1)}
        for rank, chunk in enumerate(by_meaning, 1):
            scores[chunk] = scores.get(chunk, 0.0) + 1 / (self._k + rank)
        best = sorted(sorted(scores), key=scores.__getitem__, reverse=True)[:k]
        return [
            (
                chunk,
                scores[chunk],
                {
                    name: ranking.index(chunk) + 1
                    for name, ranking in (("bm25", by_words), (self._dense_name, by_meaning))
                    if chunk in ranking
                },
            )
            for chunk in best
        ]

    async def aclose(self) -> None:
        await self._dense.aclose()
