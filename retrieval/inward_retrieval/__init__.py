"""Search within one document of a corpus."""

from inward_retrieval.chunking import Chunk, chunk_document, chunk_spans
from inward_retrieval.config import Bm25Config, RetrieverConfig
from inward_retrieval.corpus import UnknownDocumentError
from inward_retrieval.retriever import Hit, Retriever, build_retriever

__all__ = [
    "Bm25Config",
    "Chunk",
    "Hit",
    "Retriever",
    "RetrieverConfig",
    "UnknownDocumentError",
    "build_retriever",
    "chunk_document",
    "chunk_spans",
]
