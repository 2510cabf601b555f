"""Embeddings of pictures by a server: `/v1/embeddings`, whose inputs are data URLs.

`python -m inward_rewards.images.similarity.server` serves any model of `similarity.model` so. With
`pool: cls` another server of that wire may do, which then scales, and mostly crops, pictures by
itself.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np

from inward_rewards.images.server import Refused, Server
from inward_rewards.images.similarity.batches import Vectors
from inward_rewards.images.similarity.config import EmbeddingConfig
from inward_rewards.images.similarity.pixels import shuffled
from inward_rewards.sandbox import survives_forks

URL = "data:image/png;base64,"


class ApiEmbedder:
    """To be used on one event loop. ValueError where the variable that should hold the key is not
    set."""

    def __init__(self, config: EmbeddingConfig) -> None:
        assert config.server is not None
        self._config = config
        self._server = Server(config.server, "embedding", config.model, "similarity")
        survives_forks(self)
        self.after_fork()

    def after_fork(self) -> None:
        self._slots = asyncio.Semaphore(self._config.concurrency)

    async def embed(self, picture: bytes, *, mixed: bool) -> Vectors:
        """Of the picture, or of its shuffled copy where `mixed`. RedrawError: the server gave
        none."""
        if mixed:
            picture = await asyncio.to_thread(shuffled, picture)
        config, server = self._config, self._server
        asked = {
            "modality": "image",
            "pool": config.pool,
            "size": config.size,
            "legacy": config.legacy,
            "revision": config.pinned_revision,
        }
        create: Any = server.client.embeddings.create
        try:
            async with self._slots:
                answer = await server.ask(
                    create(
                        model=config.model,
                        input=[URL + base64.b64encode(picture).decode()],
                        encoding_format="base64",
                        extra_body=asked,
                    )
                )
        except Refused as refused:
            raise server.fault(f"refused: {refused}", "choose a server that takes charts") from None
        try:
            [item] = answer.data
            vectors, served = _vectors(item), answer.model
        except (ValueError, TypeError, AttributeError) as error:
            raise server.unfit(str(error)) from error
        if served != config.model:
            raise server.unfit(f"it is of the model {served!r}")
        if config.pool == "cls" and len(vectors) != 1:
            raise server.unfit("it has patches where one vector was asked for")
        return vectors


def _vectors(item: Any) -> Vectors:
    """(places, dimensions) of one embedding: base64 of float32, or a list of numbers.

    ValueError, TypeError: it is neither, or not finite, or 0.
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
    unit: Vectors = (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return unit
