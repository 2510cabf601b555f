"""The likeness of two pictures by their embeddings, for many rollouts at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from inward_rewards.images.similarity.batches import Batches, Vectors
from inward_rewards.images.similarity.client import ApiEmbedder
from inward_rewards.images.similarity.config import EmbeddingConfig
from inward_rewards.images.similarity.errors import EmbeddingError
from inward_rewards.images.similarity.model import LocalEmbedder
from inward_rewards.sandbox import Memo, Turns

KEPT = {"cls": 4096, "patch": 64}
"""Pictures whose vectors are kept: 4 kB each by class token, up to 6 MB by patches."""


@dataclass(frozen=True)
class Likeness:
    value: float
    """In [0, 1]: max(0, cosine); `legacy`: (cosine + 1) / 2; `specificity`: that of the same name,
    cut to [0, 1]."""
    cosine: float
    """In [-1, 1]; by patches the mean over the places."""
    specificity: float | None
    """The cosine less that with the shuffled original (after DeYO, arXiv 2403.07366); None: not
    asked for."""


class Embedder(Protocol):
    def embed(self, pictures: Sequence[bytes]) -> Sequence[Vectors]:
        """Unit vectors of each picture. EmbeddingError: there are none."""
        ...


class EmbeddingSimilarity:
    """Usable from any thread or event loop, and after a fork. Work is done on one thread, in
    batches over all who ask; a picture that several ask for is embedded once.

    ImportError, with the install command, where a library is missing; ValueError where the server's
    key is.
    """

    def __init__(self, config: EmbeddingConfig, embedder: Embedder | None = None) -> None:
        """`embedder`: one of your own, in place of the one that `config` names."""
        if embedder is None:
            embedder = LocalEmbedder(config) if config.base_url is None else ApiEmbedder(config)
        self._config = config
        self._batches = Batches(embedder.embed, config.batch)
        self._known: Memo[tuple[str, bool], Vectors] = Memo(KEPT[config.pool])
        self._turns = Turns()

    async def __call__(self, original: bytes, drawing: bytes) -> Likeness:
        """Of two pictures in any format of Pillow's. EmbeddingError: the machine could not tell."""
        await self._turns.wait()
        asked = [self._vectors(original), self._vectors(drawing)]
        if self._config.specificity:
            asked.append(self._vectors(original, mixed=True))
        true, drawn, *rest = await asyncio.gather(*map(asyncio.wrap_future, asked))
        cosine = _cosine(true, drawn)
        if self._config.legacy:
            return Likeness((cosine + 1) / 2, cosine, None)
        if not rest:
            return Likeness(max(0.0, cosine), cosine, None)
        specificity = cosine - _cosine(rest[0], drawn)
        return Likeness(min(1.0, max(0.0, specificity)), cosine, specificity)

    def _vectors(self, picture: bytes, *, mixed: bool = False) -> Future[Vectors]:
        key = hashlib.sha256(picture).hexdigest(), mixed
        return self._known.ask(key, lambda: self._batches.submit(picture, mixed=mixed))


def _cosine(one: Vectors, other: Vectors) -> float:
    if one.shape != other.shape:
        raise EmbeddingError(
            f"the embeddings of two pictures have the shapes {one.shape} and {other.shape}: the "
            "model behind them has changed; start again"
        )
    dots = np.einsum("pd,pd->p", one, other)
    for place in np.flatnonzero(dots == 0):  # nothing found at a place of either: they agree there
        dots[place] = float(not one[place].any() and not other[place].any())
    return min(1.0, max(-1.0, float(dots.mean())))
