"""The one interface to every backend: search within one document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import NamedTuple, Self

from inward_retrieval import bm25, chunking, embedders, terms
from inward_retrieval.api_embedder import ApiEmbedder
from inward_retrieval.bm25 import Bm25, Bm25Arrays, build_arrays
from inward_retrieval.cache import Arrays, IndexCache, corpus_digest
from inward_retrieval.chunking import Chunk
from inward_retrieval.config import (
    ApiEmbedderConfig,
    Bm25Config,
    HybridConfig,
    LocalEmbedderConfig,
    RetrieverConfig,
)
from inward_retrieval.corpus import Corpus
from inward_retrieval.dense import Dense
from inward_retrieval.embedders import Embedder
from inward_retrieval.hybrid import Hybrid
from inward_retrieval.local_embedder import LocalEmbedder
from inward_retrieval.ranking import NO_RANKS, Ranker
from inward_retrieval.rerank import Reranked


class Hit(NamedTuple):
    """One chunk that a search found."""

    chunk: Chunk
    score: float
    """Comparable within one search only."""
    ranks: Mapping[str, int] = NO_RANKS
    """hybrid: the chunk's rank, from 1, in each part (`bm25`; `dense` or `api`) that found it.
    With rerank: also its rank before, under the backend's name."""


class Retriever:
    """Searches within one document of its corpus at a time."""

    def __init__(self, corpus: Corpus, ranker: Ranker) -> None:
        self._corpus = corpus
        self._ranker = ranker

    def chunks(self, document_id: str) -> tuple[Chunk, ...]:
        """The document's chunks, in order. Raises `UnknownDocumentError`."""
        return self._corpus.chunks(document_id)

    async def search(self, document_id: str, query: str, k: int) -> list[Hit]:
        """The up to k best chunks of the document, best first; equal scores in document order.

        Fewer where the document has fewer chunks, or where fewer share a word with the query
        (bm25); none where the query holds nothing to search for. Raises `UnknownDocumentError`,
        ValueError for k < 1, and `EmbeddingError` where the query could not be embedded.
        """
        if k < 1:
            raise ValueError(f"k={k!r}: ask for at least 1 chunk")
        chunks = self._corpus.chunks(document_id)
        if not query.isascii():
            # Half a surrogate pair, which JSON from a policy can hold, is no text to any library.
            query = query.encode("utf-8", "replace").decode()
        ranking = await self._ranker.rank(self._corpus.number(document_id), query, k)
        return [Hit(chunks[number], score, ranks) for number, score, ranks in ranking]

    async def aclose(self) -> None:
        """Ends the threads that embed. A retriever of bm25 has none."""
        await self._ranker.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


def build_retriever(
    documents: Mapping[str, str], config: RetrieverConfig, *, api_key: str | None = None
) -> Retriever:
    """Chunks and indexes `documents` (id -> text) as `config` says, or finds it in the cache.

    `api_key`: of the embedding server, in place of the variable that `config` names.
    Embedding takes long: call this off the event loop. Raises ValueError for documents that cannot
    be searched and models that cannot be loaded, ImportError where an extra is missing,
    `EmbeddingError` where embedding fails.
    """
    return _Build(documents, config, api_key).retriever()


class _Build:
    """Each part of an index, from the cache where `config` allows it."""

    def __init__(
        self, documents: Mapping[str, str], config: RetrieverConfig, api_key: str | None
    ) -> None:
        self._documents = documents
        self._api_key = api_key
        self._config = config
        self._cache = IndexCache.default() if config.cache else None
        self._key = {
            "corpus": corpus_digest(documents) if config.cache else None,
            "chunking": chunking.FORMAT,
            "chunk_words": config.chunk_words,
            "chunk_overlap": config.chunk_overlap,
            "sentencex": version("sentencex"),
        }
        self._corpus = self._cut()

    def retriever(self) -> Retriever:
        ranker = self._ranker()
        if self._config.rerank is not None:
            ranker = Reranked(ranker, self._config.type, self._corpus, self._config.rerank)
        return Retriever(self._corpus, ranker)

    def _ranker(self) -> Ranker:
        config = self._config
        if isinstance(config, Bm25Config):
            return self._bm25(config)
        if isinstance(config, HybridConfig):
            return Hybrid(
                self._bm25(config),
                self._dense(config.embedder),
                dense_name=config.embedder.type,
                k=config.k,
            )
        return self._dense(config)

    def _cut(self) -> Corpus:
        words, overlap = self._config.chunk_words, self._config.chunk_overlap

        def build() -> Arrays:
            corpus = Corpus.cut(self._documents, words=words, overlap=overlap)
            return {"spans": corpus.spans, "first": corpus.first}

        return Corpus(self._documents, **self._load_or_build("chunks", {}, build))

    def _bm25(self, config: Bm25Config | HybridConfig) -> Bm25:
        key = {
            "scoring": bm25.FORMAT,
            "terms": terms.FORMAT,
            "unicode": terms.UNICODE,
            "k1": config.k1,
            "b": config.b,
            "PyStemmer": version("PyStemmer"),
        }

        def build() -> Arrays:
            return vars(build_arrays(self._corpus, k1=config.k1, b=config.b))

        arrays = self._load_or_build("bm25", key, build)
        return Bm25(Bm25Arrays(**arrays), self._corpus.sizes)

    def _dense(self, config: LocalEmbedderConfig | ApiEmbedderConfig) -> Dense:
        embedder: Embedder = (
            LocalEmbedder(config)
            if isinstance(config, LocalEmbedderConfig)
            else ApiEmbedder(config, self._api_key)
        )

        def build() -> Arrays:
            return {"vectors": embedder.embed_passages(list(self._corpus.texts()))}

        key = {"embedding": embedders.FORMAT, **embedder.identity()} if self._cache else {}
        arrays = self._load_or_build("vectors", key, build)
        return Dense(embedder, arrays["vectors"], self._corpus.first)

    def _load_or_build(
        self, kind: str, key: Mapping[str, object], build: Callable[[], Arrays]
    ) -> Arrays:
        if self._cache is None:
            return build()
        return self._cache.load_or_build(kind, {**self._key, **key}, build)
