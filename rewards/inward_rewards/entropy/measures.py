"""Measures beside matrix entropy: of each token's next-token distribution, over all of it.

The logits of a long span are never held at once: they are made and read in chunks of rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from inward_rewards.entropy.definition import Definition

try:
    import torch
except ModuleNotFoundError as error:
    raise ImportError(
        'inward_rewards.entropy needs torch: pip install "inward-rewards[hidden-states]"'
    ) from error

CENTRED = Definition(centre=True)
"""How states are prepared for `effective_rank` (VERL, arXiv 2509.23808): less their mean."""
CHUNK_BYTES = 2**26
"""Logits in float32 at once; a few copies of as much come on top."""


@dataclass(frozen=True)
class TokenMeasures:
    """Of each row's distribution p over the vocabulary, at temperature 1. Float64, on the CPU."""

    token_entropy: torch.Tensor
    """[rows], nats: -sum_v p_v ln p_v."""
    self_certainty: torch.Tensor
    """[rows], nats: KL(uniform || p) = -(1/V) sum_v ln(V p_v) (Intuitor, arXiv 2505.19590)."""
    vocabulary: int
    """V."""


def token_measures(
    final_states: torch.Tensor, logits: Callable[[torch.Tensor], torch.Tensor]
) -> TokenMeasures:
    """The measures of rows [rows, dim] behind the final norm.

    `logits`: [rows, dim] -> [rows, vocabulary]. The distributions are made in float32, sums over
    the vocabulary run in float64. ValueError: no row, logits that are not finite.
    """
    if final_states.ndim != 2 or not len(final_states):
        raise ValueError(f"final states must be [rows, dim], got {list(final_states.shape)}")
    entropies, certainties = [], []
    done, size = 0, 1  # the first row alone tells how large the vocabulary is
    while done < len(final_states):
        log_p = logits(final_states[done : done + size]).float().log_softmax(-1)
        vocabulary = log_p.shape[-1]
        entropies.append(-(log_p.exp() * log_p).sum(-1, dtype=torch.float64).cpu())
        mean = log_p.mean(-1, dtype=torch.float64)
        certainties.append((-mean - math.log(vocabulary)).cpu())
        done += size
        size = max(1, CHUNK_BYTES // (4 * vocabulary))
    entropy, certainty = torch.cat(entropies), torch.cat(certainties)
    if not (torch.isfinite(entropy).all() and torch.isfinite(certainty).all()):
        raise ValueError("logits are not finite: they hold NaN or infinity")
    return TokenMeasures(entropy, certainty, vocabulary)
