"""Which layers are read. Indices are those of transformers' `hidden_states`: 0 = embeddings,
i = output of decoder layer i, and the last one stands behind the final norm."""

from __future__ import annotations

from collections.abc import Sequence

Layers = str | Sequence[int]
"""`"middle:K"`, `"all"`, or a list of indices."""


def middle_layers(n_layers: int, k: int = 10) -> range:
    """The `k` middle layers of `n_layers`, from (n_layers - k) // 2 + 1 on: 10..19 of 28.

    Source: Advent of Small ML (2025), day 7.
    """
    if not 1 <= k <= n_layers:
        raise ValueError(
            f"cannot take {k!r} middle layers of a model that has {n_layers}; "
            f'"middle:{max(1, n_layers - 1)}" leaves out the last alone'
        )
    start = (n_layers - k) // 2 + 1
    return range(start, start + k)


def select_layers(layers: Layers, n_layers: int) -> tuple[int, ...]:
    """Indices for a model of `n_layers` decoder layers, in rising order.

    `"all"` is 1 .. n_layers - 1: every layer that means the same in every engine (the last one
    is read before the final norm by some and behind it by others).
    """
    if isinstance(layers, str):
        return tuple(_named(layers, n_layers))
    chosen = sorted(set(layers))
    if not chosen:
        raise ValueError('layers names no layer; give indices, "middle:K" or "all"')
    if chosen[0] < 0 or chosen[-1] > n_layers:
        raise ValueError(f"layers {list(layers)!r} leave 0..{n_layers}, all that this model has")
    return tuple(chosen)


def _named(layers: str, n_layers: int) -> range:
    if layers == "all":
        if n_layers < 2:
            raise ValueError('layers = "all" needs a model of at least 2 layers; give indices')
        return range(1, n_layers)
    name, _, count = layers.partition(":")
    if name != "middle" or not count.isdecimal():
        raise ValueError(f'layers must be "middle:K", "all" or a list of indices, got {layers!r}')
    return middle_layers(n_layers, int(count))
