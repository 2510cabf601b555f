"""Embeddings by any OpenAI-compatible server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from inward_retrieval.config import ApiEmbedderConfig, RetrieverConfig, embedder_of
from inward_retrieval.embedders import EmbeddingError, RejectedTextError, Vectors, unit_vectors
from inward_retrieval.extras import optional

BATCH = 64
"""Maximum texts per request."""


def required_api_key(config: RetrieverConfig) -> str | None:
    """The key of the embedding server that `config` asks, None where it asks none: for a process
    that inherits no environment. ValueError where the variable that should hold it is not set."""
    embedder = embedder_of(config)
    return read_key(embedder) if isinstance(embedder, ApiEmbedderConfig) else None


def read_key(config: ApiEmbedderConfig) -> str:
    """The key in the environment variable that `config` names. ValueError where it is not set."""
    key = os.environ.get(config.api_key_var)
    if not key:
        raise ValueError(
            f"the environment variable {config.api_key_var!r} (api_key_var) is not set: set it to "
            "the key of the embedding server, or to any text where it asks for none"
        )
    return key


class ApiEmbedder:
    """The `openai` client, which itself tries again on 408, 409, 429, 5xx, a silent or a cut
    connection, and waits as long as `Retry-After` says."""

    def __init__(self, config: ApiEmbedderConfig, api_key: str | None = None) -> None:
        """`api_key`: in place of what the environment variable holds."""
        self._openai = optional("openai", "api")
        self.threads = config.concurrency
        self.window = config.window_ms / 1000
        self._config = config
        self._source = f"the embedding server {config.base_url!r} (model {config.model!r})"
        self._client = self._openai.OpenAI(
            api_key=api_key or read_key(config),
            base_url=config.base_url,
            timeout=config.timeout,
            max_retries=config.retries,
        )

    def identity(self) -> Mapping[str, object]:
        """The model by name: a server that changes what is behind it does not tell."""
        return {
            "embedder": "api",
            "base_url": self._config.base_url,
            "model": self._config.model,
            "dimensions": self._config.dimensions,
            "passage_prompt": self._config.passage_prompt,
        }

    def embed_passages(self, texts: list[str]) -> Vectors:
        texts = [self._config.passage_prompt + text for text in texts]
        batches = [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]
        with ThreadPoolExecutor(self._config.concurrency) as pool:
            vectors = list(pool.map(self._embed, batches))
        widths = {batch.shape[1] for batch in vectors}
        if len(widths) > 1:
            raise EmbeddingError(
                f"{self._source} gave vectors of different lengths: {sorted(widths)}: it must "
                "serve one model under this name"
            )
        return np.concatenate(vectors)

    def embed_queries(self, texts: list[str]) -> Vectors:
        return self._embed([self._config.query_prompt + text for text in texts])

    def _embed(self, texts: list[str]) -> Vectors:
        dimensions = self._config.dimensions
        extra: dict[str, Any] = {} if dimensions is None else {"dimensions": dimensions}
        try:
            answer = self._client.embeddings.create(
                model=self._config.model, input=texts, encoding_format="float", **extra
            )
            data = sorted(answer.data, key=lambda item: item.index)
            vectors = np.array([item.embedding for item in data], dtype=np.float64)
        except (self._openai.BadRequestError, self._openai.UnprocessableEntityError) as error:
            raise RejectedTextError(
                f"{self._source} refused {len(texts)} texts of up to "
                f"{max(map(len, texts))} characters: {error}: check model, dimensions and "
                "chunk_words against what it takes"
            ) from error
        except self._openai.APIError as error:
            raise EmbeddingError(f"{self._source} failed: {error}{self._mend(error)}") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise EmbeddingError(
                f"{self._source} answered with what is not an embeddings reply ({error}): check "
                "that base_url ends in the path before `/embeddings`, mostly `/v1`"
            ) from error
        if dimensions is not None and vectors.ndim == 2 and vectors.shape[1] != dimensions:
            raise EmbeddingError(
                f"{self._source} gave vectors of {vectors.shape[1]} numbers where dimensions="
                f"{dimensions} were asked for: set dimensions to what the model has"
            )
        return unit_vectors(vectors, len(texts), self._source)

    def _mend(self, error: Exception) -> str:
        if isinstance(error, self._openai.APIConnectionError):
            return f": is it running, and does it answer within timeout={self._config.timeout} s?"
        if isinstance(
            error, (self._openai.AuthenticationError, self._openai.PermissionDeniedError)
        ):
            return f": check the key in the environment variable {self._config.api_key_var!r}"
        if isinstance(error, self._openai.NotFoundError):
            return ": check base_url (mostly it ends in `/v1`) and model"
        return f" (after {self._config.retries} retries where it could be tried again)"
