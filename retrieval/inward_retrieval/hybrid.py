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
        self._negated_shares = -1 / np.arange(k + 1, k + 1 + max(bm25.sizes))
        """By rank - 1: what a part takes off a chunk's negated score."""

    async def rank(self, document: int, query: str, k: int) -> Ranking:
        vector = await self._dense.embed(query)
        return [] if vector is None else self.fuse(document, query, vector, k)

    def fuse(self, document: int, query: str, vector: Vectors, k: int) -> Ranking:
        """The k best chunks of the document for `query`, whose embedding is `vector`."""
        by_meaning = self._dense.order(document, vector)
        by_words = self._bm25.order(document, query)
        negated = np.zeros(len(by_meaning))
        negated[by_words] = self._negated_shares[: len(by_words)]
        negated[by_meaning] += self._negated_shares[: len(by_meaning)]
        best = negated.argsort(kind="stable")[:k].tolist()
        parts = {"bm25": by_words.tolist(), self._dense_name: by_meaning.tolist()}
        return [(chunk, -negated.item(chunk), _ranks(chunk, parts)) for chunk in best]

    async def aclose(self) -> None:
        await self._dense.aclose()


def _ranks(chunk: int, parts: dict[str, list[int]]) -> dict[str, int]:
    return {name: order.index(chunk) + 1 for name, order in parts.items() if chunk in order}
