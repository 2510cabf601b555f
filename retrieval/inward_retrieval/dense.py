"""Search by vectors within one document, with a flat FAISS index for each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inward_retrieval.batching import Batcher
from inward_retrieval.embedders import Embedder, EmbeddingError, RejectedTextError, Vectors
from inward_retrieval.extras import optional
from inward_retrieval.ranking import NO_RANKS, Ranking

QUERY_BATCH = 64


class Dense:
    """Ranks by the inner product of unit vectors, which is their cosine."""

    def __init__(self, embedder: Embedder, vectors: Vectors, first: NDArray[np.int64]) -> None:
        """Document `d` owns rows `first[d]` to `first[d + 1]` of `vectors`."""
        self._faiss = optional("faiss", embedder.extra)
        self._embedder = embedder
        self._vectors = vectors
        self._first = first
        self._indexes: dict[int, Any] = {}
        self._queries: Batcher[str, Vectors] = Batcher(
            self._embed, window=embedder.window, most=QUERY_BATCH, threads=embedder.threads
        )

    async def rank(self, document: int, query: str, k: int) -> Ranking:
        """The k chunks nearest to `query`; none where it is white space."""
        vector = await self.embed(query)
        if vector is None:
            return []
        return [(chunk, score, NO_RANKS) for chunk, score in self.nearest(document, vector, k)]

    async def embed(self, query: str) -> Vectors | None:
        """(1, dimensions), together with queries of other callers; None for white space."""
        return await self._queries.submit(query) if query.strip() else None

    def nearest(self, document: int, vector: Vectors, k: int) -> list[tuple[int, float]]:
        """The k chunks (number, cosine) nearest to `vector` (1, dimensions), best first.

        Equal scores stand in document order; FAISS alone would leave that open.
        """
        index = self._index(document)
        total = index.ntotal
        scores, chunks = index.search(vector, min(k + 1, total))
        pairs = list(zip(scores[0].tolist(), chunks[0].tolist(), strict=True))
        if k < total and pairs[k - 1][0] == pairs[k][0]:
            scores, chunks = index.search(vector, total)
            pairs = list(zip(scores[0].tolist(), chunks[0].tolist(), strict=True))
        pairs.sort(key=_by_score_then_place)
        return [(chunk, score) for score, chunk in pairs[:k]]

    def order(self, document: int, vector: Vectors) -> NDArray[np.intp]:
        """The numbers of all chunks, in the order of `nearest`."""
        index = self._index(document)
        found, chunks = index.search(vector, index.ntotal)
        order: NDArray[np.intp] = chunks[0]
        scores = found[0]
        if (scores[1:] == scores[:-1]).any():
            order = order[np.lexsort((order, -scores))]
        return order

    async def aclose(self) -> None:
        self._queries.close()

    def _index(self, document: int) -> Any:
        index = self._indexes.get(document)
        if index is None:
            index = self._faiss.IndexFlatIP(self._vectors.shape[1])
            index.add(self._vectors[self._first[document] : self._first[document + 1]])
            self._indexes[document] = index
        return index

    def _embed(self, queries: list[str]) -> list[Vectors | Exception]:
        try:
            vectors = self._embedder.embed_queries(queries)
        except RejectedTextError as error:
            if len(queries) == 1:
                return [error]
            # One policy's query that the server refuses must not fail those of others.
            return [answer for query in queries for answer in self._embed([query])]
        if vectors.shape[1] != self._vectors.shape[1]:
            raise EmbeddingError(
                f"queries embed to {vectors.shape[1]} numbers, the chunks of the index to "
                f"{self._vectors.shape[1]}: the model behind {dict(self._embedder.identity())} has "
                "changed; run `inward cache clear` and start again"
            )
        return [vectors[number : number + 1] for number in range(len(queries))]


def _by_score_then_place(pair: tuple[float, int]) -> tuple[float, int]:
    return -pair[0], pair[1]
