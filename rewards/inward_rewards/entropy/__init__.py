"""Matrix entropy of hidden states: its definition, its layers, its spectrum, its wire format.

The formulas need torch; the rest does not, so that a client of a remote engine stays light.
"""

from typing import TYPE_CHECKING, Any

from inward_rewards.entropy.definition import (
    ADVENT,
    LAYER_BY_LAYER,
    PLAIN,
    PRESETS,
    Definition,
    Normalise,
)
from inward_rewards.entropy.layers import middle_layers, select_layers

if TYPE_CHECKING:
    from inward_rewards.entropy.spectrum import effective_rank, matrix_entropy, prefix_entropy

_SPECTRUM = ("effective_rank", "matrix_entropy", "prefix_entropy")

__all__ = [
    "ADVENT",
    "LAYER_BY_LAYER",
    "PLAIN",
    "PRESETS",
    "Definition",
    "Normalise",
    "effective_rank",
    "matrix_entropy",
    "middle_layers",
    "prefix_entropy",
    "select_layers",
]


def __getattr__(name: str) -> Any:
    if name not in _SPECTRUM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from inward_rewards.entropy import spectrum

    return getattr(spectrum, name)
