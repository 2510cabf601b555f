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
        if not query.strip():
            return []
        vector = await self._queries.submit(query)
        return [(chunk, score, NO_RANKS) for chunk, score in self.nearest(document, vector, k)]

    def nearest(self, document: int, vector: Vectors, k: int) -> list[tuple[int, float]]:
        """The k chunks (number, cosine) nearest to `vector` (1, dimensions), best first.

        Equal scores stand in document order; FAISS alone would leave that open.
        """
        index = self._indexes.get(document) or self._add_index(document)
        total = index.ntotal
        scores, chunks = index.search(vector, min(k + 1, total))
        if k < total and scores[0, k - 1] == scores[0, k]:
            scores, chunks = index.search(vector, total)
        pairs = sorted(zip((-scores[0]).tolist(), chunks[0].tolist(), strict=True))[:k]
        return [(chunk, -score) for score, chunk in pairs]

    async def aclose(self) -> None:
        self._queries.close()

    def _add_index(self, document: int) -> Any:
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
