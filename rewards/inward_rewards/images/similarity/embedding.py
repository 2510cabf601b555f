"""The likeness of two pictures by their embeddings, for many rollouts at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from inward_rewards.images.errors import RedrawError
from inward_rewards.images.kept import Kept
from inward_rewards.images.similarity.batches import Batches, Vectors
from inward_rewards.images.similarity.client import ApiEmbedder
from inward_rewards.images.similarity.config import EmbeddingConfig
from inward_rewards.images.similarity.model import LocalEmbedder
from inward_rewards.sandbox import Memo, Message

VERSION = 1
"""Raised whenever the same pictures have another likeness."""
IN_MEMORY = {"cls": 4096, "patch": 64}
"""Pictures whose vectors are kept: 4 kB each by class token, up to 6 MB by patches."""
AT_ONCE = 256
"""Maximum comparisons under way at once."""


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
        """Unit vectors of each picture, on a thread of its own. RedrawError: there are none."""
        ...


class EmbeddingSimilarity:
    """Usable from any thread or event loop, and after a fork. A picture that several ask for is
    embedded once; with a model in this process, many at a time.

    `folder` keeps likenesses over runs, so that a rerun has every reward bit for bit; not those of
    a model on the hub without a revision, which is another one day. ImportError, with the install
    command, where a library is missing; ValueError where the server's key is.
    """

    def __init__(
        self, config: EmbeddingConfig, folder: Path | None = None, embedder: Embedder | None = None
    ) -> None:
        """`embedder`: one of your own, in place of the one that `config` names; it keeps none."""
        self._config = config
        self._server = ApiEmbedder(config) if config.base_url is not None else None
        self._batches: Batches | None = None
        if embedder is not None or self._server is None:
            found = embedder or LocalEmbedder(config)
            self._batches = Batches(found.embed, config.batch)
        self._identity = None if embedder is not None else _identity(config)
        kept_in = None if self._identity is None else folder
        self._kept = Kept("embeddings", kept_in, AT_ONCE)
        self._vectors: Memo[tuple[str, bool], Vectors] = Memo(IN_MEMORY[config.pool])

    async def __call__(self, original: bytes, drawing: bytes) -> Likeness:
        """Of two pictures in any format of Pillow's. RedrawError: the machine could not tell."""
        names = [hashlib.sha256(picture).hexdigest() for picture in (original, drawing)]
        key = {"embedding": self._identity, "version": VERSION, "pictures": names}
        header, _ = await self._kept.ask(key, lambda: self._compared(original, drawing))
        cosine, specificity = header["cosine"], header["specificity"]
        if self._config.legacy:
            return Likeness((cosine + 1) / 2, cosine, None)
        paid = cosine if specificity is None else specificity
        return Likeness(min(1.0, max(0.0, paid)), cosine, specificity)

    async def _compared(self, original: bytes, drawing: bytes) -> Message:
        """On the loop of `Kept`."""
        asked = [self._embedded(original), self._embedded(drawing)]
        if self._config.specificity:
            asked.append(self._embedded(original, mixed=True))
        true, drawn, *rest = await asyncio.gather(*map(asyncio.wrap_future, asked))
        cosine = _cosine(true, drawn)
        specificity = cosine - _cosine(rest[0], drawn) if rest else None
        return {"cosine": cosine, "specificity": specificity}, []

    def _embedded(self, picture: bytes, *, mixed: bool = False) -> Future[Vectors]:
        key = hashlib.sha256(picture).hexdigest(), mixed
        return self._vectors.ask(key, lambda: self._started(picture, mixed))

    def _started(self, picture: bytes, mixed: bool) -> Future[Vectors]:
        if self._batches is not None:
            return self._batches.submit(picture, mixed=mixed)
        assert self._server is not None
        request = self._server.embed(picture, mixed=mixed)
        return asyncio.run_coroutine_threadsafe(request, asyncio.get_running_loop())


@cache
def similarity_of(config: EmbeddingConfig, folder: Path | None = None) -> EmbeddingSimilarity:
    """That of `config`, one per process: its rollouts share model, requests and cache."""
    return EmbeddingSimilarity(config, folder)


def _identity(config: EmbeddingConfig) -> dict[str, Any] | None:
    """All that a likeness depends on beside the pictures; None where it cannot be told."""
    options = config.model_dump(exclude={"batch", "concurrency", "timeout", "retries"})
    options |= {"revision": config.pinned_revision}
    if config.base_url is not None:
        return options
    libraries = [f"{name} {version(name)}" for name in ("torch", "transformers", "pillow")]
    folder = Path(config.model)
    if folder.is_dir():
        files = [(f.name, f.stat()) for f in sorted(folder.iterdir()) if f.is_file()]
        options["files"] = [[name, found.st_size, found.st_mtime_ns] for name, found in files]
    elif config.pinned_revision is None:
        return None
    return options | {"libraries": libraries}


def _cosine(one: Vectors, other: Vectors) -> float:
    if one.shape != other.shape:
        raise RedrawError(
            f"the embeddings of two pictures have the shapes {one.shape} and {other.shape}: the "
            "model behind them has changed; start again"
        )
    dots = np.einsum("pd,pd->p", one, other)
    for place in np.flatnonzero(dots == 0):  # nothing found at a place of either: they agree there
        dots[place] = float(not one[place].any() and not other[place].any())
    return min(1.0, max(-1.0, float(dots.mean())))
