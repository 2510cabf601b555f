"""Rewards for the length of a completion, in tokens."""

from __future__ import annotations


def soft_overlong(tokens: int, limit: int, cache: int) -> float:
    """0 up to limit - cache, then linear down to -1 at `limit`, and -1 beyond.

    Source: DAPO (arXiv 2503.14476), section 3.4; its limit is 20,480 and its cache 4,096.
    """
    if not 0 < cache <= limit:
        raise ValueError(f"cache must lie in 1..{limit} (the limit), got {cache!r}")
    return -min(1.0, max(0.0, (tokens - (limit - cache)) / cache))
