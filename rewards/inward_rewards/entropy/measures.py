"""Measures beside matrix entropy: of each token's next-token distribution, over all of it; how the
effective rank grows; where a completion's mean state lies.

The logits of a long span are never held at once: they are made and read in chunks of rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inward_rewards.entropy.definition import Definition
from inward_rewards.entropy.projection import PROJECTED, WINDOW, prefixes, sparse_projection

try:
    import torch
except ModuleNotFoundError as error:
    raise ImportError(
        'inward_rewards.entropy needs torch: pip install "inward-rewards[hidden-states]"'
    ) from error

from inward_rewards.entropy.spectrum import rank_of_gram

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


@dataclass(frozen=True)
class TokenParts:
    """What one part of the vocabulary has to do with each row's distribution."""

    sums: torch.Tensor
    """[rows, 4], float64, on the CPU: the largest logit m (-inf of no column), sum_v e^(l_v - m),
    sum_v e^(l_v - m) (l_v - m), and sum_v l_v."""
    vocabulary: int
    """How many columns the part has."""


def token_parts(
    final_states: torch.Tensor, logits: Callable[[torch.Tensor], torch.Tensor]
) -> TokenParts:
    """Of rows [rows, dim] behind the final norm.

    `logits`: [rows, dim] -> [rows, columns of this part]. Exponentials are made in float32, sums
    over the vocabulary run in float64. ValueError: no row, logits that are not finite.
    """
    if final_states.ndim != 2 or not len(final_states):
        raise ValueError(f"final states must be [rows, dim], got {list(final_states.shape)}")
    found = []
    done, size, vocabulary = 0, 1, 0  # the first row alone tells how large the vocabulary is
    while done < len(final_states):
        made = logits(final_states[done : done + size]).float()
        vocabulary = made.shape[-1]
        found.append(_sums(made).cpu())
        done += size
        size = max(1, CHUNK_BYTES // (4 * max(vocabulary, 1)))
    sums = torch.cat(found)
    if vocabulary and not torch.isfinite(sums).all():
        raise ValueError("logits are not finite: they hold NaN or infinity")
    return TokenParts(sums, vocabulary)


def _sums(logits: torch.Tensor) -> torch.Tensor:
    if not logits.shape[-1]:
        empty = torch.zeros((len(logits), 4), dtype=torch.float64)
        empty[:, 0] = -math.inf
        return empty
    peak = logits.amax(-1, keepdim=True)
    below = logits - peak
    weights = below.exp()
    return torch.stack(
        [
            peak.squeeze(-1).double(),
            weights.sum(-1, dtype=torch.float64),
            (weights * below).sum(-1, dtype=torch.float64),
            logits.sum(-1, dtype=torch.float64),
        ],
        dim=-1,
    )


def token_measures(parts: Sequence[TokenParts]) -> TokenMeasures:
    """The measures of rows whose vocabulary is split into `parts`, as tensor parallelism splits it.

    With Z = sum_v e^(l_v): entropy ln Z - sum_v p_v l_v, self-certainty
    ln Z - ln V - (1/V) sum_v l_v. ValueError: parts of different rows.
    """
    if len({len(part.sums) for part in parts}) != 1:
        raise ValueError(f"parts of {[len(part.sums) for part in parts]} rows are not of one span")
    peaks, weights, spreads, totals = torch.stack([part.sums for part in parts]).unbind(-1)
    vocabulary = sum(part.vocabulary for part in parts)
    peak = peaks.amax(0)
    apart = torch.where(peaks.isinf(), 0.0, peaks - peak)  # no column: no weight either
    shares = weights * apart.exp()
    whole = shares.sum(0)
    mean = (spreads * apart.exp() + shares * apart).sum(0) / whole
    return TokenMeasures(
        token_entropy=whole.log() - mean,
        self_certainty=peak + whole.log() - math.log(vocabulary) - totals.sum(0) / vocabulary,
        vocabulary=vocabulary,
    )


def rank_curve(hidden_states: torch.Tensor) -> torch.Tensor:
    """Effective ranks of every 40th prefix of the last 512 tokens, each less its own mean.

    `hidden_states`: [layers, tokens, dim], any float type; the result is [layers, prefixes], in
    float64, without a column where there are 40 tokens or fewer.
    Source: VERL (arXiv 2509.23808), in its code.
    """
    curves = []
    for states in hidden_states:
        rows = states[-WINDOW:].double()
        rows = rows - rows.mean(0)  # no prefix's rank changes by it, and less is lost to rounding
        gram, energy = rows @ rows.T, states[-WINDOW:].double().square().sum()
        curves.append([_rank(gram[:n, :n], energy) for n in prefixes(len(rows))])
    return torch.tensor(curves, dtype=torch.float64)


def _rank(gram: torch.Tensor, energy: torch.Tensor) -> float:
    """Of a prefix less its mean: H K H. What is left of equal tokens is rounding, and no rank."""
    mean = gram.mean(0)
    centred = gram - mean - mean[:, None] + mean.mean()
    spread = centred.diagonal().sum() > 1e-24 * energy
    return float(rank_of_gram(centred)) if spread else 0.0


def projected_mean(final_states: torch.Tensor) -> torch.Tensor:
    """The mean of rows [rows, dim], projected: [256], float64, on the CPU.

    ValueError: no row, states that are not finite.
    """
    if final_states.ndim != 2 or not len(final_states):
        raise ValueError(f"final states must be [rows, dim], got {list(final_states.shape)}")
    mean = final_states.sum(0, dtype=torch.float64).cpu() / len(final_states)
    if not torch.isfinite(mean).all():
        raise ValueError("final states are not finite: they hold NaN or infinity")
    signs, scale = sparse_projection(len(mean))
    matrix = torch.frombuffer(bytearray(signs), dtype=torch.int8).view(-1, PROJECTED)
    projected: torch.Tensor = scale * (mean @ matrix.double())
    return projected
