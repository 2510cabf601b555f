"""What "matrix entropy" means in one run: everything that two sources may do differently.

Free of torch, so that a client of a remote engine can name and check a definition.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

Normalise = Literal["none", "log_n", "max"]

ROUNDING = 5e-4
"""Bits by which float32 moves an entropy at most: where all tokens are alike (see `entropy`)."""
HALF_ROUNDING = 0.02
"""Bits by which the states of a model in 16-bit floats move it (docs/entropy.md)."""


@dataclass(frozen=True)
class Definition:
    """How hidden states `Z` [tokens, dim] become a spectrum, and the spectrum a number."""

    base: float = math.e
    """Base of the logarithm: e for nats, 2 for bits."""
    centre: bool = False
    """Subtract the mean token from every row."""
    unit_rows: bool = False
    """Scale every row to length 1 (after centring); a zero row stays zero."""
    clamp: bool = False
    """Raise negative entries of the Gram matrix to 0. The result is no longer a Gram matrix and
    depends on which side is taken: it is here because a source does it."""
    cutoff: float = 0.0
    """Eigenvalues up to this value are dropped, before they are made to sum to 1."""
    normalise: Normalise = "none"
    """Divide by log(tokens), or by log(min(tokens, dim)), the largest value that there is."""

    @property
    def has_prefix_curve(self) -> bool:
        """Whether one pass gives the entropy of every prefix: centring moves the rows of each, and
        a clamped matrix changes side."""
        return not (self.clamp or (self.centre and self.unit_rows))

    def __post_init__(self) -> None:
        if not (math.isfinite(self.base) and self.base > 1):
            raise ValueError(f"base must be a number above 1, got {self.base!r}")
        if not (math.isfinite(self.cutoff) and self.cutoff >= 0):
            raise ValueError(f"cutoff must be a number of at least 0, got {self.cutoff!r}")
        if self.normalise not in ("none", "log_n", "max"):
            raise ValueError(f"normalise must be none, log_n or max, got {self.normalise!r}")

    @property
    def unscaled(self) -> Definition:
        """The same without the division."""
        return dataclasses.replace(self, normalise="none")

    def scale(self, tokens: int, dim: int) -> float:
        """The divisor that `normalise` asks for.

        One token, or one dimension, has entropy 0 and no scale: it stays 0 (divisor 1).
        """
        if self.normalise == "none":
            return 1.0
        largest = tokens if self.normalise == "log_n" else min(tokens, dim)
        return math.log(largest, self.base) if largest > 1 else 1.0

    def possible(self, entropy: float, tokens: int, dim: int) -> bool:
        """Whether an undivided entropy lies in 0..log(min(tokens, dim)), but for rounding."""
        rounding = self.rounding("float32")
        return -rounding <= entropy <= math.log(min(tokens, dim), self.base) + rounding

    def rounding(self, dtype: str | None) -> float:
        """By how much an undivided entropy may be off, in its own unit.

        `dtype`: of the model that was read, as torch calls it; None: not known.
        """
        bits = ROUNDING if dtype in ("float32", "float64") else HALF_ROUNDING
        return bits * math.log(2, self.base)


PLAIN = Definition()
"""Nats of the states as they are."""

ADVENT = Definition(base=2.0, cutoff=1e-6)
"""Advent of Small ML (2025), day 7: bits; the states as they are."""

LAYER_BY_LAYER = Definition(centre=True, unit_rows=True, clamp=True, normalise="max")
"""Layer by Layer (arXiv 2502.02013) as its code computes it: centred unit rows, the Gram matrix
clamped element by element, nats, divided by the largest possible entropy."""

PRESETS = {"advent": ADVENT, "layer_by_layer": LAYER_BY_LAYER}
