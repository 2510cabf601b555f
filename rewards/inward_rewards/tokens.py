"""Token entropies of a completion, from what an API returns: sampled and top-k logprobs.

The whole vocabulary is never there. The surprisal of the sampled token, -log p, is an unbiased
but noisy estimate of its position's entropy; the entropy of the top k is a bound whose side the
treatment of the tail decides. Both say which they are. Natural logarithms throughout.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Tail = Literal["drop", "lump", "renormalise"]
"""What becomes of the probability outside the top k. `drop`: left out, a lower bound. `lump`: one
more token, a tighter lower bound. `renormalise`: the k sum to 1; no bound at all."""


@dataclass(frozen=True)
class TokenValues:
    """One number a sampled token, and how it was made."""

    values: tuple[float, ...]
    kind: str
    """`surprisal`, or `top-K entropy, tail …` with the smallest K that a position had."""

    @property
    def mean(self) -> float:
        return _mean(self.values)

    def phases(self, boundary: int | None) -> tuple[float | None, float | None]:
        """Means of (thinking, answer): tokens before `boundary` and from it on.

        `boundary` None: no thinking ended, and all is answer. None for a phase without tokens.
        """
        cut = 0 if boundary is None else boundary
        if not 0 <= cut <= len(self.values):
            raise ValueError(f"boundary {boundary!r} leaves the {len(self.values)} tokens")
        head, rest = self.values[:cut], self.values[cut:]
        return (_mean(head) if head else None), (_mean(rest) if rest else None)


def surprisals(logprobs: Sequence[float]) -> TokenValues:
    """-log p of each sampled token."""
    for logprob in logprobs:
        _check(logprob)
        if logprob == -math.inf:
            raise ValueError("a sampled token has logprob -inf: the sampler cannot have drawn it")
    return TokenValues(tuple(-logprob for logprob in logprobs), "surprisal")


def top_k_entropies(top_logprobs: Sequence[Sequence[float]], tail: Tail = "lump") -> TokenValues:
    """Entropy of each position from its most likely tokens' logprobs."""
    if not all(top_logprobs):
        raise ValueError(
            "a position has no top logprobs; ask the server for --sampling.top-logprobs"
        )
    values = tuple(_entropy(position, tail) for position in top_logprobs)
    k = min(map(len, top_logprobs), default=0)
    return TokenValues(values, f"top-{k} entropy, tail {tail}")


def _entropy(logprobs: Sequence[float], tail: Tail) -> float:
    for logprob in logprobs:
        _check(logprob)
    p = [math.exp(logprob) for logprob in logprobs]
    total = math.fsum(p)
    if total > 1 + 1e-4:
        raise ValueError(f"top probabilities sum to {total!r}: not one distribution's logprobs")
    if tail == "renormalise":
        p = [each / total for each in p]
    elif tail == "lump":
        p.append(max(0.0, 1 - total))
    return -math.fsum(each * math.log(each) for each in p if each > 0)


def _check(logprob: float) -> None:
    if math.isnan(logprob) or logprob > 1e-6:
        raise ValueError(f"a logprob must be at most 0, got {logprob!r}")


def _mean(values: Sequence[float]) -> float:
    if not values:
        raise ValueError("no token to take the mean of")
    return math.fsum(values) / len(values)


@dataclass(frozen=True)
class ChatLogprobs:
    """`choices[0].logprobs` of a chat completion."""

    tokens: tuple[str, ...]
    logprobs: tuple[float, ...]
    top_logprobs: tuple[tuple[float, ...], ...]
    """Empty tuples where none were asked for."""

    @classmethod
    def parse(cls, logprobs: Mapping[str, Any] | None) -> ChatLogprobs:
        content = (logprobs or {}).get("content")
        if content is None:
            raise ValueError("the completion has no logprobs; ask with --sampling.logprobs true")
        return cls(
            tuple(entry["token"] for entry in content),
            tuple(float(entry["logprob"]) for entry in content),
            tuple(
                tuple(float(top["logprob"]) for top in entry.get("top_logprobs") or ())
                for entry in content
            ),
        )

    def boundary(self, mark: str = "</think>") -> int | None:
        """Index of the first token behind the thinking; None where `mark` never came."""
        tail = ""
        for index, token in enumerate(self.tokens):
            tail += token
            if mark in tail:
                return index + 1
            tail = tail[-len(mark) :]
        return None
