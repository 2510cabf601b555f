"""Embeddings of pictures by a server: `/v1/embeddings`, whose inputs are data URLs.

`python -m inward_rewards.images.similarity.server` serves any model of `similarity.model` so. With
`pool: cls` another server of that wire does too (Infinity's), which then scales, and mostly crops,
pictures by itself.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from inward_rewards.images.similarity.batches import Vectors
from inward_rewards.images.similarity.config import EmbeddingConfig
from inward_rewards.images.similarity.errors import EmbeddingError

RETRIES = 5
"""Tries after the first where the server is busy (429), broken (5xx), silent or gone."""
URL = "data:image/png;base64,"


class ApiEmbedder:
    """The `openai` client, which tries again by itself. Not on an event loop: it blocks."""

    def __init__(self, config: EmbeddingConfig) -> None:
        """ValueError where the variable that should hold the key is not set."""
        try:
            import openai
        except ImportError as error:
            raise ImportError(
                'similarity.base_url needs openai: pip install "inward-rewards[vision]"'
            ) from error
        self._openai, self._config = openai, config
        self._source = f"the embedding server {config.base_url!r} (model {config.model!r})"
        self._client = openai.OpenAI(
            api_key=config.api_key(),
            base_url=config.base_url,
            timeout=config.timeout,
            max_retries=RETRIES,
        )

    def embed(self, pictures: Sequence[bytes]) -> list[Vectors]:
        """EmbeddingError: the server gave none."""
        config = self._config
        asked = {
            "modality": "image",
            "pool": config.pool,
            "size": config.size,
            "legacy": config.legacy,
            "revision": config.pinned_revision,
        }
        try:
            answer = self._client.embeddings.create(
                model=config.model,
                input=[URL + base64.b64encode(picture).decode() for picture in pictures],
                encoding_format="base64",
                extra_body=asked,
            )
            served = answer.model
            data = sorted(answer.data, key=lambda item: item.index)
            vectors = [_vectors(item) for item in data]
        except self._openai.APIError as error:
            raise EmbeddingError(f"{self._source} failed: {error}{self._mend(error)}") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise EmbeddingError(
                f"{self._source} answered with what is no reply of embeddings ({error}): check "
                "that base_url ends in the path before `/embeddings`, mostly `/v1`"
            ) from error
        if served != config.model:
            raise EmbeddingError(
                f"{self._source} answered with the model {served!r}: set similarity.model to what "
                "it serves"
            )
        if len(vectors) != len(pictures):
            raise EmbeddingError(
                f"{self._source} gave {len(vectors)} embeddings of {len(pictures)} pictures"
            )
        if config.pool == "cls" and any(len(one) != 1 for one in vectors):
            raise EmbeddingError(f"{self._source} gave patches where one vector was asked for")
        return vectors

    def _mend(self, error: Exception) -> str:
        library = self._openai
        if isinstance(error, library.APIConnectionError):
            return f": is it running, and does it answer within {self._config.timeout:g} s?"
        if isinstance(error, library.AuthenticationError | library.PermissionDeniedError):
            return f": check the key in the variable {self._config.api_key_var!r} (api_key_var)"
        if isinstance(error, library.NotFoundError):
            return ": check base_url (mostly it ends in `/v1`) and model"
        return f" (after {RETRIES} retries where it could be tried again)"


def _vectors(item: Any) -> Vectors:
    """(places, dimensions) of one embedding: base64 of float32, or a list of numbers.

    ValueError, TypeError: it is neither, or not finite, or of length 0.
    """
    found = item.embedding
    if isinstance(found, str):
        flat = np.frombuffer(base64.b64decode(found, validate=True), dtype="<f4")
    else:
        flat = np.array(found, dtype=np.float32)
    places = (item.model_extra or {}).get("places", 1)
    if not isinstance(places, int) or places < 1 or not flat.size:
        raise ValueError(f"{flat.size} numbers for {places!r} places")
    vectors = flat.reshape(places, -1)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.any():
        raise ValueError("an embedding is not finite, or 0")
    unit: Vectors = vectors / np.where(lengths == 0, 1, lengths)
    return unit
