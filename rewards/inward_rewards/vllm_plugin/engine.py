"""What the worker's part is given: pieces of a step, and the engine that it stands in."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from inward_rewards.entropy.measures import TokenParts


@dataclass(frozen=True)
class Chunk:
    """One request's part of a step."""

    request_id: str
    start: int
    """Position of its first row within the sequence."""
    rows: int
    offset: int
    """Index of its first row within the step's flat batch."""


class OtherParts(Protocol):
    """`inward_rewards.vllm_plugin.ranks` has it."""

    def of(
        self, request_id: str, own: Sequence[TokenParts], read_at: float
    ) -> list[list[TokenParts]]: ...
    def end(self, request_id: str) -> None: ...


@dataclass(frozen=True)
class Engine:
    """What the answers say about the engine."""

    plugin: str
    vllm: str
    dim: int
    weights: Callable[[], Hashable]
    """Which weights it holds now; as text, the version that the answers name."""
    dtype: str | None = None
    """Of the states, as torch calls it."""
    logits: Callable[[torch.Tensor], torch.Tensor] | None = None
    """Final states [tokens, dim] -> [tokens, vocabulary], or with tensor parallelism this rank's
    part of it; may be called from another thread."""
    others: OtherParts | None = None
    """The other ranks' parts of the vocabulary."""
