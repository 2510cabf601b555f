"""What a backend gives: chunks of one document in order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

Ranking = list[tuple[int, float, Mapping[str, int]]]
"""(chunk number, score, rank from 1 in each part that found it), best first; equal scores in
document order."""
NO_RANKS: Mapping[str, int] = MappingProxyType({})


class Ranker(Protocol):
    """A backend. Documents go by number."""

    async def rank(self, document: int, query: str, k: int) -> Ranking: ...

    async def aclose(self) -> None: ...
