"""Search within one document of a corpus."""

from inward_retrieval.api_embedder import required_api_key
from inward_retrieval.chunking import Chunk, chunk_document, chunk_spans
from inward_retrieval.config import (
    ApiConfig,
    ApiEmbedderConfig,
    Bm25Config,
    DenseConfig,
    HybridConfig,
    LocalEmbedderConfig,
    RerankConfig,
    RetrieverConfig,
)
from inward_retrieval.corpus import UnknownDocumentError
from inward_retrieval.embedders import EmbeddingError, RejectedTextError
from inward_retrieval.extras import require_extras
from inward_retrieval.models import require_models
from inward_retrieval.recall import ChoiceQuestion
from inward_retrieval.retriever import Hit, Retriever, build_retriever

__all__ = [
    "ApiConfig",
    "ApiEmbedderConfig",
    "Bm25Config",
    "ChoiceQuestion",
    "Chunk",
    "DenseConfig",
    "EmbeddingError",
    "Hit",
    "HybridConfig",
    "LocalEmbedderConfig",
    "RejectedTextError",
    "RerankConfig",
    "Retriever",
    "RetrieverConfig",
    "UnknownDocumentError",
    "build_retriever",
    "chunk_document",
    "chunk_spans",
    "require_extras",
    "require_models",
    "required_api_key",
]
