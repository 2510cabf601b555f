"""What is fixed of the measures that a group compares: the projection of mean states, and the
prefixes whose effective rank is taken.

Free of torch. A projection is a hash and no generator's draw: it is the same in every version of
every library, on client and engine.
"""

from __future__ import annotations

import hashlib
import math
import sys
from array import array
from functools import lru_cache

PROJECTED = 256
"""Numbers that a mean state is projected to."""
STRIDE = 40
"""Tokens between two prefixes, as in VERL's code (arXiv 2509.23808)."""
WINDOW = 512
"""Last tokens of a span that prefixes are taken of, as there."""


def prefixes(tokens: int) -> range:
    """Lengths of the prefixes of a span's last `WINDOW` tokens: 41, 81, …, each below or at its
    end."""
    return range(STRIDE + 1, min(tokens, WINDOW) + 1, STRIDE)


def curve_length(tokens: int) -> int:
    return len(prefixes(tokens))


@lru_cache(maxsize=2)
def sparse_projection(dim: int, size: int = PROJECTED) -> tuple[bytes, float]:
    """(signs, scale) of a very sparse random projection, dim -> size, row after row.

    A sign is 1, 0 or 255 (-1): not 0 with probability 1/sqrt(dim), either way alike. The projection
    is scale · states @ signs, with scale² = sqrt(dim) / size: it keeps lengths on average.
    Source: Li, Hastie and Church (2006), as RepExp (arXiv 2510.11686) uses it.
    """
    name = f"inward projection {dim} {size}".encode()
    words = array("I", hashlib.shake_256(name).digest(4 * dim * size))
    if sys.byteorder == "big":
        words.byteswap()
    share = int(2**31 / math.sqrt(dim))
    signs = bytearray(dim * size)
    for index, word in enumerate(words):
        if word < share:
            signs[index] = 1
        elif word >= 2**32 - share:
            signs[index] = 255
    return bytes(signs), math.sqrt(math.sqrt(dim) / size)
