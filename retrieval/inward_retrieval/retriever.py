"""The one interface to every backend: search within one document."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from inward_retrieval.bm25 import Bm25, build_arrays
from inward_retrieval.chunking import Chunk
from inward_retrieval.config import RetrieverConfig
from inward_retrieval.corpus import Corpus


class Hit(NamedTuple):
    """One chunk that a search found."""

    chunk: Chunk
    score: float
    """Comparable within one search only."""
    ranks: Mapping[str, int] = MappingProxyType({})
    """hybrid: the chunk's rank, from 1, in each part that found it."""


class Retriever:
    """Searches within one document of its corpus at a time."""

    def __init__(self, corpus: Corpus, ranker: Bm25) -> None:
        self._corpus = corpus
        self._ranker = ranker

    @property
    def document_ids(self) -> tuple[str, ...]:
        return self._corpus.ids

    def chunks(self, document_id: str) -> tuple[Chunk, ...]:
        """The document's chunks, in order. Raises `UnknownDocumentError`."""
        return self._corpus.chunks(document_id)

    async def search(self, document_id: str, query: str, k: int) -> list[Hit]:
        """The up to k best chunks of the document, best first; equal scores in document order.

        Fewer where the document has fewer chunks, or where fewer share a word with the query
        (bm25); none where the query holds nothing to search for. Raises `UnknownDocumentError`,
        and ValueError for k < 1.
        """
        if k < 1:
            raise ValueError(f"k={k!r}: ask for at least 1 chunk")
        chunks = self._corpus.chunks(document_id)
        # Half a surrogate pair, which JSON from a policy can hold, is no text to any library.
        query = query.encode("utf-8", "replace").decode() if not query.isascii() else query
        ranked = self._ranker.rank(self._corpus.number(document_id), query, k)
        return [Hit(chunks[number], score) for number, score in ranked]


def build_retriever(documents: Mapping[str, str], config: RetrieverConfig) -> Retriever:
    """Chunks and indexes `documents` (id -> text) as `config` says."""
    corpus = Corpus.cut(documents, words=config.chunk_words, overlap=config.chunk_overlap)
    arrays = build_arrays(corpus, k1=config.k1, b=config.b)
    return Retriever(corpus, Bm25(arrays, corpus.sizes))
