"""Matrix-based entropy of hidden states: the Rényi entropy of a Gram matrix's spectrum.

    S_alpha(Z) = 1 / (1 - alpha) * log sum_i p_i^alpha,   p_i = lambda_i(K) / tr K,   K = Z Z^T

(arXiv 2502.02013, section 3; alpha -> 1 gives the von Neumann entropy -sum p log p.) Z Z^T and
Z^T Z share their non-zero eigenvalues, so the smaller of the two is always taken.

For orders from 1 up rows are cast to float32 before the product, and sums of eigenvalues run in
float64. That is exact to 1e-5 for states of ordinary spread. Where most of the spectrum is zero or
far below the rest, rounding stands in for it at alpha = 1: up to 1e-4 for low rank, few different
tokens or one token a thousand times longer than the rest, up to 5e-4 for tokens that are all equal
(bits; less as alpha grows). Orders below 1 raise small eigenvalues, so that float32 would be off by
whole bits: they run in float64 throughout, and an eigenvalue below 2.2e-16 times their number times
the largest counts as zero.

Peak memory beyond the input does not grow with the number of tokens: about three times the Gram
matrices that are solved together. Those are of as many layers as fit into 256 MB, at least one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from inward_rewards.entropy.definition import PLAIN, Definition

try:
    import torch
except ModuleNotFoundError as error:
    raise ImportError(
        'inward_rewards.entropy needs torch: pip install "inward-rewards[hidden-states]"'
    ) from error

__all__ = ["effective_rank", "matrix_entropy", "prefix_entropy"]

_ROWS = 1024
"""Rows cast and multiplied at once."""
_STACK_BYTES = 2**28
"""Gram matrices solved in one batched call."""
_BLOCK = 128
"""Rows of the Gram matrix multiplied at once."""


def matrix_entropy(
    hidden_states: torch.Tensor, alpha: float = 1.0, definition: Definition = PLAIN
) -> torch.Tensor:
    """Entropy of every layer, as float64 on the states' device.

    `hidden_states`: [tokens, dim] (the result is a scalar) or [layers, tokens, dim] (the result
    is [layers]), any float type. `alpha` >= 0: 1 is the von Neumann entropy; 2 is computed from
    the Frobenius norm without an eigensolver, so that `definition.cutoff` does not enter.
    States that are all zero, or all equal and centred, have entropy 0.

    ValueError: no token, another shape or type, states that are not finite, alpha below 0.
    """
    if not (math.isfinite(alpha) and alpha >= 0):
        raise ValueError(f"alpha must be a number of at least 0, got {alpha!r}")
    layers = _as_layers(hidden_states)
    tokens, dim = layers.shape[1:]
    # Orders below 1 raise small eigenvalues, and float32's rounding with them.
    dtype = torch.float64 if alpha < 1 else torch.float32
    grams = (_gram(states, definition, dtype) for states in layers)
    if alpha == 2:
        nats = torch.stack([_collision_entropy(gram) for gram in grams])
    else:
        nats = torch.cat(
            [
                _spectral_entropy(torch.linalg.eigvalsh(batch), alpha, definition.cutoff)
                for batch in _batches(grams)
            ]
        )
    values = nats / math.log(definition.base) / definition.scale(tokens, dim)
    return values if hidden_states.ndim == 3 else values[0]


def effective_rank(hidden_states: torch.Tensor, definition: Definition = PLAIN) -> torch.Tensor:
    """exp of the entropy of the singular values (Roy & Vetterli 2007): from 1 to min(tokens, dim).

    Shapes and errors as in `matrix_entropy`; exp of the alpha = 1 entropy never exceeds it.
    Square roots magnify rounding, so this one runs in float64 throughout. `normalise` and `base`
    do not enter; states without any spread have rank 0.
    """
    layers = _as_layers(hidden_states)
    values = torch.stack(
        [
            rank_of_gram(_gram(states, definition, torch.float64), definition.cutoff)
            for states in layers
        ]
    )
    return values if hidden_states.ndim == 3 else values[0]


def rank_of_gram(gram: torch.Tensor, cutoff: float = 0.0) -> torch.Tensor:
    """The effective rank of states by their Gram matrix, whose lower triangle is read."""
    eigenvalues = torch.linalg.eigvalsh(gram)
    kept = eigenvalues > _rounding(eigenvalues).clamp(min=cutoff)
    singular = torch.where(kept, eigenvalues, 0).sqrt()
    total = singular.sum()
    p = singular / torch.where(total > 0, total, 1)
    return torch.where(total > 0, torch.special.entr(p).sum().exp(), 0)


def prefix_entropy(hidden_states: torch.Tensor, definition: Definition = PLAIN) -> torch.Tensor:
    """The alpha = 2 entropy of every prefix, in one pass: [tokens] or [layers, tokens], float64.

    Entry t - 1 equals `matrix_entropy(hidden_states[..., :t, :], 2, definition)`. The Frobenius
    norm of a growing Gram matrix grows by one row at a time, and so do the two sums by which
    centring changes it. Rows that are centred *and* scaled to length 1 change with every prefix,
    and a clamped matrix changes side: both are refused.
    """
    if not definition.has_prefix_curve:
        raise ValueError(
            "prefix_entropy cannot clamp, nor scale centred rows to length 1: the rows of each "
            "prefix would differ; use matrix_entropy on the prefixes that you need"
        )
    layers = _as_layers(hidden_states)
    values = torch.stack([_prefix_curve(states, definition) for states in layers])
    return values if hidden_states.ndim == 3 else values[0]


def _as_layers(hidden_states: torch.Tensor) -> torch.Tensor:
    if hidden_states.ndim not in (2, 3) or not hidden_states.is_floating_point():
        raise ValueError(
            "hidden states must be a float tensor [tokens, dim] or [layers, tokens, dim], got "
            f"{hidden_states.dtype} {list(hidden_states.shape)}"
        )
    if 0 in hidden_states.shape:
        raise ValueError(
            f"hidden states {list(hidden_states.shape)} hold no token; entropy needs at least one"
        )
    return hidden_states.detach().reshape(-1, *hidden_states.shape[-2:])


def _gram(
    states: torch.Tensor, definition: Definition, dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """Lower triangle of the smaller of Z Z^T and Z^T Z, with Z prepared as `definition` says.

    What stands above the diagonal is unspecified: the eigensolver does not read it.
    """
    tokens, dim = states.shape
    mean = _mean(states, dtype) if definition.centre else None
    side = min(tokens, dim)
    gram = torch.zeros((side, side), dtype=dtype, device=states.device)
    if tokens <= dim:
        _add_product(gram, _prepare(states, mean, definition, dtype))
    else:
        for chunk in torch.split(states, _ROWS):
            _add_product(gram, _prepare(chunk, mean, definition, dtype).T)
    _refuse_non_finite(gram.diagonal().sum())
    return gram.clamp_(min=0) if definition.clamp else gram


def _add_product(gram: torch.Tensor, factor: torch.Tensor) -> None:
    """gram += factor @ factor.T, lower triangle only: a third less work than the whole."""
    for start in range(0, len(gram), _BLOCK):
        stop = start + _BLOCK
        gram[start:stop, :stop].addmm_(factor[start:stop], factor[:stop].T)


def _mean(states: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    total = torch.zeros(states.shape[1], dtype=dtype, device=states.device)
    for chunk in torch.split(states, _ROWS):
        total += chunk.to(dtype).sum(0)
    return total / len(states)


def _prepare(
    chunk: torch.Tensor, mean: torch.Tensor | None, definition: Definition, dtype: torch.dtype
) -> torch.Tensor:
    rows = chunk.to(dtype)
    if mean is not None:
        rows = _subtract(rows, mean)
    if definition.unit_rows:
        length = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
        rows = rows / torch.where(length == 0, 1, length)
    return rows


def _subtract(rows: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """Rows less the mean. What is left of a row that equals it is rounding, which scaling to
    length 1 would blow up into a direction: it becomes zero."""
    centred = rows - mean
    length = torch.linalg.vector_norm(rows, dim=1) + torch.linalg.vector_norm(mean)
    rounding = 2 * torch.finfo(rows.dtype).eps * length
    equal = torch.linalg.vector_norm(centred, dim=1) <= rounding
    return torch.where(equal[:, None], 0, centred)


def _refuse_non_finite(trace: torch.Tensor) -> None:
    if not torch.isfinite(trace):
        raise ValueError(
            "hidden states are not finite: they hold NaN or infinity, or values whose squares "
            "overflow float32"
        )


def _batches(grams: Iterator[torch.Tensor]) -> Iterator[torch.Tensor]:
    """Stacks of Gram matrices [batch, side, side] of bounded size."""
    batch: list[torch.Tensor] = []
    for gram in grams:
        batch.append(gram)
        if (len(batch) + 1) * gram.nbytes > _STACK_BYTES:
            yield torch.stack(batch)
            batch = []
    if batch:
        yield torch.stack(batch)


def _rounding(eigenvalues: torch.Tensor) -> torch.Tensor:
    """The size below which a float64 eigenvalue is none: numpy's `matrix_rank` for K. [..., 1]"""
    return eigenvalues[..., -1:] * eigenvalues.shape[-1] * torch.finfo(torch.float64).eps


def _spectral_entropy(eigenvalues: torch.Tensor, alpha: float, cutoff: float) -> torch.Tensor:
    """Rényi entropy in nats of spectra [batch, side]; 0 where no eigenvalue is left."""
    # In float32 that floor would cut real eigenvalues beside one token of massive norm.
    exact = eigenvalues.dtype == torch.float64
    kept = eigenvalues > (_rounding(eigenvalues).clamp(min=cutoff) if exact else cutoff)
    spectrum = torch.where(kept, eigenvalues, 0).double()
    total = spectrum.sum(-1, keepdim=True)
    p = spectrum / torch.where(total > 0, total, 1)
    if alpha == 1:
        entropy: torch.Tensor = torch.special.entr(p).sum(-1)
        return entropy
    power = torch.where(kept, p.pow(alpha), 0).sum(-1)
    return torch.where(power > 0, power.log() / (1 - alpha), 0)


def _collision_entropy(gram: torch.Tensor) -> torch.Tensor:
    """alpha = 2 in nats: -log(||K||_F^2 / (tr K)^2); 0 for a zero matrix."""
    diagonal = gram.diagonal()
    trace = diagonal.sum()
    total = torch.where(trace > 0, trace, 1)
    off_diagonal = (gram / total).tril_(-1).square_().sum(dtype=torch.float64)
    squared = 2 * off_diagonal + (diagonal / total).square().sum(dtype=torch.float64)
    return torch.where(trace > 0, -squared.log(), 0)


def _prefix_curve(states: torch.Tensor, definition: Definition) -> torch.Tensor:
    """One layer's curve [tokens]."""
    # Centring a prefix undoes any fixed shift: taking off the whole mean first leaves the result
    # as it is, and spares the sums below the cancellation of a large common direction.
    mean = _mean(states, torch.float32) if definition.centre else None
    rows = torch.cat(
        [_prepare(chunk, mean, definition, torch.float32) for chunk in torch.split(states, _ROWS)]
    )
    squared, trace = _growing_norms(rows)
    _refuse_non_finite(trace[-1])
    if definition.centre:
        squared, trace = _centred(rows, squared, trace)
    nats = torch.where(trace > 0, -(squared / trace.square()).log(), 0)
    dim = states.shape[1]
    scale = torch.tensor(
        [definition.scale(count, dim) for count in range(1, len(rows) + 1)],
        dtype=torch.float64,
        device=rows.device,
    )
    return nats / math.log(definition.base) / scale


def _strict_rows(rows: torch.Tensor, start: int) -> torch.Tensor:
    """Rows start .. start + _ROWS of the strictly lower triangle of the Gram matrix."""
    block = rows[start : start + _ROWS]
    return (block @ rows[: start + len(block)].T).tril_(start - 1)


def _growing_norms(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(||K_t||_F^2, tr K_t) for every prefix t, float64 [tokens] each."""
    length = rows.square().sum(1, dtype=torch.float64)
    cross = torch.cat(
        [
            _strict_rows(rows, start).square().sum(1, dtype=torch.float64)
            for start in range(0, len(rows), _ROWS)
        ]
    )
    return (2 * cross + length.square()).cumsum(0), length.cumsum(0)


def _centred(
    rows: torch.Tensor, squared: torch.Tensor, trace: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same two for H K_t H, where H takes the prefix's mean off.

    With s_t the sum of t rows and v_t = K_t-weighted sum Z_t^T Z_t s_t:
    tr H K H = tr K - |s|^2 / t and ||H K H||^2 = ||K||^2 - 2 s.v / t + |s|^4 / t^2.
    """
    total = torch.zeros(rows.shape[1], dtype=torch.float64, device=rows.device)
    weighted = total.clone()
    sum_squared, sum_weighted = [], []
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS].double()
        strict = _strict_rows(rows, start)
        sums = total + block.cumsum(0)
        # v_t - v_(t-1) = sum_(i<t) z_i (z_i . z_t) + z_t (z_t . s_t)
        steps = (strict @ rows[: strict.shape[1]]).double()
        steps += block * (block * sums).sum(1, keepdim=True)
        growth = weighted + steps.cumsum(0)
        sum_squared.append(sums.square().sum(1))
        sum_weighted.append((sums * growth).sum(1))
        total, weighted = sums[-1], growth[-1]
    s2, sv = torch.cat(sum_squared), torch.cat(sum_weighted)
    count = torch.arange(1, len(rows) + 1, dtype=torch.float64, device=rows.device)
    centred_trace = trace - s2 / count
    centred_squared = squared - 2 * sv / count + s2.square() / count.square()
    # One token, or equal ones, leave rounding only: no spread.
    spread = centred_trace > 1e-6 * trace
    return centred_squared, torch.where(spread, centred_trace, 0)
