"""What a retriever is built from: plain pydantic models, to nest in anybody's configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


class StrictModel(BaseModel):
    """Refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _type_is_always_set(cls, data: Any) -> Any:
        """A dump of the fields that were set must say which model it is of: verifiers from 0.4.1
        on rebuilds configs from such dumps, and a dense retriever came back as bm25."""
        if isinstance(data, dict) and "type" in cls.model_fields:
            return {"type": cls.model_fields["type"].default, **data}
        return data


def _absolute(model: str) -> str:
    """A folder as seen from here: the process that loads it may have another working directory."""
    folder = Path(os.path.expanduser(model))  # noqa: PTH111 - it leaves an unknown user as it is
    return str(folder.resolve()) if folder.exists() else model


Model = Annotated[str, AfterValidator(_absolute)]


class RerankConfig(StrictModel):
    """A cross-encoder that reads the query beside each of the best chunks and orders them anew."""

    model: Model = "cross-encoder/ms-marco-MiniLM-L6-v2"
    """Hub id or folder of a sentence-transformers CrossEncoder. The default: 23M parameters,
    Apache-2.0."""
    revision: str | None = None
    """Commit of the model on the hub."""
    top: int = Field(default=20, ge=1)
    """How many of the best chunks it reads."""
    device: str = "auto"


class BackendConfig(StrictModel):
    """What every backend has."""

    chunk_words: int = Field(default=150, ge=1)
    """Maximum words per chunk: whole sentences, and a longer sentence is cut between words."""
    chunk_overlap: int = Field(default=0, ge=0)
    """Maximum words that each chunk repeats from the one before."""
    rerank: RerankConfig | None = None
    """None: off."""
    cache: bool = True
    """Keep the index in the cache directory for the next start."""

    @model_validator(mode="after")
    def _overlap_fits(self) -> Self:
        if self.chunk_overlap >= self.chunk_words:
            raise ValueError(
                f"chunk_overlap={self.chunk_overlap} must be less than "
                f"chunk_words={self.chunk_words}"
            )
        return self


class LocalEmbedderConfig(StrictModel):
    """Embeds with sentence-transformers in this process."""

    type: Literal["dense"] = "dense"
    model: Model = "MongoDB/mdbr-leaf-ir"
    """Hub id or folder of a SentenceTransformer. The default: 23M parameters, Apache-2.0, the best
    BEIR average its card knows of among models of at most 100M (nDCG@10 53.55; 51.98 for
    snowflake-arctic-embed-s, 51.65 for bge-small-en-v1.5)."""
    revision: str | None = None
    """Commit of the model on the hub. None: its main branch of the day."""
    query_prompt: str | None = None
    """Put before each query. None: the prompt that the model itself stores for queries."""
    passage_prompt: str | None = None
    """Put before each chunk. None: the prompt that the model itself stores for documents."""
    device: str = "auto"
    """`auto`: an accelerator where there is one; or `cpu`, `cuda`, `cuda:1`, `mps`."""
    window_ms: float = Field(default=2.0, ge=0)
    """How long a query waits for others to be embedded with."""


class ApiEmbedderConfig(StrictModel):
    """Embeds through an OpenAI-compatible `/v1/embeddings`."""

    type: Literal["api"] = "api"
    model: str
    base_url: str = "https://api.openai.com/v1"
    api_key_var: str = "OPENAI_API_KEY"
    """The environment variable that holds the key; set it to any text for a server without one."""
    dimensions: int | None = Field(default=None, ge=1)
    """Asked of the server, and required of its answer. None: the model's own."""
    query_prompt: str = ""
    """Put before each query."""
    passage_prompt: str = ""
    """Put before each chunk."""
    concurrency: int = Field(default=8, ge=1)
    """Maximum requests under way at once."""
    timeout: float = Field(default=30.0, gt=0)
    """Seconds that one try of a request may take."""
    retries: int = Field(default=5, ge=0)
    """Tries after the first where the server is busy (429), broken (5xx), silent or gone."""
    window_ms: float = Field(default=2.0, ge=0)
    """How long a query waits for others to share its request."""


EmbedderConfig = Annotated[LocalEmbedderConfig | ApiEmbedderConfig, Field(discriminator="type")]


class Bm25Config(BackendConfig):
    """Search by words."""

    type: Literal["bm25"] = "bm25"
    k1: float = Field(default=0.9, ge=0)
    """How slowly repeats of a term stop counting. The defaults of `k1` and `b` are Anserini's, and
    the best of those tried within one story (`benchmarks/bm25_weights.py`)."""
    b: float = Field(default=0.4, ge=0, le=1)
    """How much a chunk's length lowers its score: 0 not at all, 1 in proportion."""


class DenseConfig(BackendConfig, LocalEmbedderConfig):
    """Search by the meaning of the whole query, embedded in this process."""


class ApiConfig(BackendConfig, ApiEmbedderConfig):
    """Search by the meaning of the whole query, embedded by a server."""


class HybridConfig(BackendConfig):
    """Words and meaning: the ranks of bm25 and of an embedder, fused."""

    type: Literal["hybrid"] = "hybrid"
    k: int = Field(default=60, ge=1)
    """Reciprocal rank fusion: a chunk scores the sum of 1 / (k + rank) over both parts."""
    k1: float = Field(default=0.9, ge=0)
    b: float = Field(default=0.4, ge=0, le=1)
    embedder: EmbedderConfig = LocalEmbedderConfig()

    @model_validator(mode="before")
    @classmethod
    def _embedder_is_dense_by_default(cls, data: Any) -> Any:
        embedder = data.get("embedder") if isinstance(data, dict) else None
        if isinstance(embedder, dict) and "type" not in embedder:
            return {**data, "embedder": {"type": "dense", **embedder}}
        return data


RetrieverConfig = Annotated[
    Bm25Config | DenseConfig | ApiConfig | HybridConfig, Field(discriminator="type")
]


def embedder_of(config: RetrieverConfig) -> LocalEmbedderConfig | ApiEmbedderConfig | None:
    """What embeds for `config`; None for bm25."""
    if isinstance(config, Bm25Config):
        return None
    return config.embedder if isinstance(config, HybridConfig) else config
