"""Text to unit vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
"""Part of every key of vectors: to be raised with any change to what `unit_vectors` returns."""

Vectors = NDArray[np.float32]
"""(texts, dimensions), rows of length 1."""


class EmbeddingError(RuntimeError):
    """Texts could not be embedded: the fault of the machine, not of the query."""


class RejectedTextError(EmbeddingError):
    """A server will not embed these texts, whatever its state: too long, for one."""


class Embedder(Protocol):
    """Called from threads, several at once where `threads` is more than 1."""

    threads: int
    window: float
    """Seconds."""

    def identity(self) -> Mapping[str, object]:
        """Everything that the vectors of passages depend on besides their texts."""

    def embed_passages(self, texts: list[str]) -> Vectors: ...

    def embed_queries(self, texts: list[str]) -> Vectors: ...


def unit_vectors(vectors: NDArray[np.floating], texts: int, source: str) -> Vectors:
    """`vectors` with rows of length 1; refuses a wrong shape and what is not a finite number."""
    if vectors.ndim != 2 or vectors.shape[0] != texts or not vectors.shape[1]:
        raise EmbeddingError(
            f"{source} answered {texts} texts with numbers of shape {vectors.shape}: it must give "
            "one vector per text, all of one length; check that it is an embedding model"
        )
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    bad = np.flatnonzero(~np.isfinite(norms) | (norms == 0))
    if bad.size:
        raise EmbeddingError(
            f"{source} answered text {bad[0]} of {texts} with a vector of length {norms[bad[0]]}: "
            "check the model's weights and precision"
        )
    return np.ascontiguousarray(vectors / norms[:, None], dtype=np.float32)
