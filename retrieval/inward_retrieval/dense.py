"""Search by vectors within one document: the product of its rows with the query's vector.

No index: one document is some thirty vectors, for which one costs what it saves
(`benchmarks/search/vectors.py`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inward_retrieval.batching import Batcher
from inward_retrieval.embedders import Embedder, EmbeddingError, RejectedTextError, Vectors
from inward_retrieval.ranking import NO_RANKS, Ranking

QUERY_BATCH = 64


class Dense:
    """Ranks by the inner product of unit vectors, which is their cosine."""

    def __init__(self, embedder: Embedder, vectors: Vectors, first: NDArray[np.int64]) -> None:
        """Document `d` owns rows `first[d]` to `first[d + 1]` of `vectors`."""
        self._embedder = embedder
        self._vectors = np.asarray(vectors)
        self._first = first
        self._queries: Batcher[str, Vectors] = Batcher(
            self._embed, window=embedder.window, max_batch=QUERY_BATCH, threads=embedder.threads
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

        Equal scores stand in document order.
        """
        negated = self._negated_scores(document, vector)
        best = negated.argsort(kind="stable")[:k].tolist()
        return [(chunk, -negated.item(chunk)) for chunk in best]

    def order(self, document: int, vector: Vectors) -> NDArray[np.intp]:
        """The numbers of all chunks, in the order of `nearest`."""
        return self._negated_scores(document, vector).argsort(kind="stable")

    async def aclose(self) -> None:
        self._queries.close()

    def _negated_scores(self, document: int, vector: Vectors) -> NDArray[np.float32]:
        """(chunks,); what sorts ascending sorts the best first."""
        rows = self._vectors[self._first[document] : self._first[document + 1]]
        # Row by row: a matrix product may round equal rows to scores that differ.
        negated: NDArray[np.float32] = np.vecdot(rows, -vector[0])
        return negated

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
