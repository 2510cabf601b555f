"""Whether a description belongs to its picture: what is left of its likeness without the layout."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

PATCHES = 4
"""Along each side, as in DeYO."""


def patch_shuffled(picture: Any, seed: int, patches: int = PATCHES) -> Any:
    """The picture [height, width, ...] with its patches x patches tiles in another order.

    Height and width are cut down to multiples of `patches`. No tile stays where all could move:
    the order is drawn until one has moved, so that the copy is never the picture itself.
    ValueError: fewer than two tiles, or a side shorter than `patches`.
    """
    import numpy as np

    height, width = picture.shape[0] // patches, picture.shape[1] // patches
    if patches < 2 or min(height, width) < 1:
        raise ValueError(
            f"{picture.shape[0]} x {picture.shape[1]} pixels cannot be cut into {patches} x "
            f"{patches} tiles: at least two a side, of at least one pixel"
        )
    tiles = [
        picture[row * height : (row + 1) * height, column * width : (column + 1) * width]
        for row in range(patches)
        for column in range(patches)
    ]
    order, draw = list(range(len(tiles))), random.Random(seed)
    while order == sorted(order):
        draw.shuffle(order)
    rows = [
        np.concatenate([tiles[place] for place in order[start : start + patches]], axis=1)
        for start in range(0, len(order), patches)
    ]
    return np.concatenate(rows, axis=0)


def specificity(
    similarity: Callable[[Any, Any], float],
    reference: Any,
    candidate: Any,
    *,
    seed: int,
    patches: int = PATCHES,
) -> float:
    """similarity(reference, candidate) - similarity(patch-shuffled reference, candidate).

    `candidate`: whatever `similarity` compares pictures with: a drawing, or a text where it embeds
    both. What fits any picture of these colours fits the shuffled one as well, and earns 0. One
    seed must serve a whole group. Range: that of a difference of two similarities.
    Source: the pseudo-label probability difference of DeYO (arXiv 2403.07366), which compares a
    classifier's probabilities; here it is a likeness, of a description's drawing.
    """
    shuffled = patch_shuffled(reference, seed, patches)
    return similarity(reference, candidate) - similarity(shuffled, candidate)
