"""What the numbers of a training say: reward and entropy, collapse, and what a bonus does.

Entropies and log-probabilities are in nats. What is not finite raises ValueError.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_ENTROPIES = 3
"""A line goes through any two points: with fewer distinct entropies a fit says nothing."""
ROUNDING = 1e-9
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EntropyLaw:
    """R = -a exp(H) + b [Cui et al. 2025, arXiv:2505.22617, abstract]."""

    a: float
    b: float
    r_squared: float
    """Share of the rewards' variance that the curve explains; 1 where they are all equal."""
    checkpoints: int

    @property
    def ceiling(self) -> float:
        """The reward that the curve reaches once no entropy is left: b - a."""
        return self.b - self.a

    def reward(self, entropy: float) -> float:
        return self.b - self.a * math.exp(entropy)


def fit_entropy_law(entropies: Sequence[float], rewards: Sequence[float]) -> EntropyLaw:
    """The least-squares fit over checkpoints: one mean token entropy and one mean reward each.

    Raises ValueError for fewer than three distinct entropies, and lists of different lengths.
    """
    h, r = _pair(entropies, rewards, "entropies", "rewards")
    distinct = 1 + int((np.diff(np.sort(h)) > ROUNDING).sum()) if len(h) else 0
    if distinct < MIN_ENTROPIES:
        raise ValueError(
            f"{distinct} distinct entropies: a fit needs {MIN_ENTROPIES} or more checkpoints whose"
            " entropies differ"
        )
    x = np.exp(h)
    off, away = x - x.mean(), r - r.mean()
    slope = float(off @ away) / float(off @ off)
    b = float(r.mean() - slope * x.mean())
    total = float(away @ away)
    left = away - slope * off
    explained = 1 - float(left @ left) / total if total > ROUNDING**2 else 1.0
    return EntropyLaw(-slope, b, explained, len(h))


def correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Pearson's r; None for fewer than two pairs, or where one side does not vary."""
    one, other = _pair(x, y, "values", "values")
    if len(one) < 2 or _flat(one) or _flat(other):
        return None
    off, away = one - one.mean(), other - other.mean()
    return float(off @ away) / math.sqrt(float(off @ off) * float(away @ away))


def answer_entropy(answers: Sequence[Hashable | None]) -> float | None:
    """-sum p ln p over the distribution of a group's answers, equal where they mean the same.

    0: all siblings agree; ln n: no two of n do. None, a rollout without an answer, does not count;
    None is returned where nobody answered. Semantic entropy with the answers as the classes of
    meaning [Kuhn et al. 2023, arXiv:2302.09664; as a reward in EMPO, arXiv:2504.05812].
    """
    counts = Counter(answer for answer in answers if answer is not None)
    total = sum(counts.values())
    if not total:
        return None
    return -math.fsum(n / total * math.log(n / total) for n in counts.values())


def log_probability_covariance(
    log_probabilities: Sequence[Sequence[float]], advantages: Sequence[float]
) -> float:
    """Mean over all tokens of (log pi - mean log pi) (A - mean A), of rollouts whose tokens share
    one advantage each [Cui et al. 2025, arXiv:2505.22617, the token-wise covariance of Clip-Cov].

    Positive: likely tokens are rewarded, and entropy falls. Raises ValueError without a token.
    """
    sums = [math.fsum(tokens) for tokens in log_probabilities]
    return covariance_of_sums(sums, [len(tokens) for tokens in log_probabilities], advantages)


def covariance_of_sums(
    sums: Sequence[float], counts: Sequence[int], advantages: Sequence[float]
) -> float:
    """`log_probability_covariance` from each rollout's sum and number of tokens."""
    total, a = _pair(sums, advantages, "rollouts", "advantages")
    n = np.asarray(counts, float)
    if not n.sum():
        raise ValueError("no token to take a covariance over")
    mean, mean_a = total.sum() / n.sum(), float(n @ a) / n.sum()
    return float((total - n * mean) @ (a - mean_a)) / float(n.sum())


def variance_shares(
    groups: Sequence[Mapping[str, Sequence[float]]],
) -> dict[str, float] | None:
    """Which part of the reward makes the advantages differ.

    A group is part -> one weighted value per sibling; the advantage is their sum less its mean in
    the group [Shao et al. 2024, arXiv:2402.03300, section 4.1, without the division by the
    deviation, as in Dr. GRPO, arXiv:2503.20783]. A part's share is Cov(A_part, A) / Var(A) over all
    rollouts: shares sum to 1, and one that works against the others is negative. None where no
    group has spread. Raises ValueError where the siblings of a group lack a part.
    """
    names = list(dict.fromkeys(name for group in groups for name in group))
    centred: dict[str, list[float]] = {name: [] for name in names}
    for group in groups:
        sizes = {len(values) for values in group.values()}
        if len(sizes) > 1:
            raise ValueError(f"parts of one group have {sorted(sizes)} values: one per sibling")
        for name in names:
            values = np.asarray(group.get(name, [0.0] * max(sizes, default=0)), float)
            _finite(values, name)
            centred[name] += list(values - values.mean()) if len(values) else []
    parts = {name: np.asarray(values) for name, values in centred.items()}
    whole: Floats = sum(parts.values(), np.zeros(len(next(iter(parts.values()), []))))
    total = float(whole @ whole)
    if not len(whole) or total <= ROUNDING**2 * len(whole):
        return None
    return {name: float(values @ whole) / total for name, values in parts.items()}


def window_means(entropies: Sequence[float] | Floats, window: int) -> Floats:
    """Mean entropy of each run of `window` tokens: one value per token that has as many, itself
    counted, from there on [ARES, arXiv:2510.08457, window entropy]. Empty for a shorter
    list. Raises ValueError for a window below 1."""
    if window < 1:
        raise ValueError(f"a window has 1 token or more, got {window}")
    values = np.asarray(entropies, float)
    _finite(values, "entropies")
    if len(values) < window:
        return np.empty(0)
    return np.convolve(values, np.full(window, 1 / window), mode="valid")


@dataclass(frozen=True)
class Mismatch:
    """How far the trainer's log-probabilities of sampled tokens lie from the engine's."""

    kl: float
    """Mean of r - 1 - ln r with r = pi_trainer / pi_engine: an unbiased, never negative estimate of
    KL(engine || trainer) [Schulman 2020, "Approximating KL Divergence", k3]."""
    mean_difference: float
    """Of |ln pi_trainer - ln pi_engine|."""
    largest_difference: float
    tokens: int


def mismatch(trainer: Sequence[float], engine: Sequence[float]) -> Mismatch:
    """Over the tokens that the engine sampled. Raises ValueError without a token."""
    ours, theirs = _pair(trainer, engine, "trainer's tokens", "engine's tokens")
    if not len(ours):
        raise ValueError("no token to compare trainer and engine on")
    log_ratio = ours - theirs
    kl = np.expm1(log_ratio) - log_ratio
    size = np.abs(log_ratio)
    return Mismatch(float(kl.mean()), float(size.mean()), float(size.max()), len(ours))


def _pair(x: Sequence[float], y: Sequence[float], name: str, other: str) -> tuple[Floats, Floats]:
    if len(x) != len(y):
        raise ValueError(f"{len(x)} {name}, and {len(y)} {other}")
    one, two = np.asarray(x, float), np.asarray(y, float)
    _finite(one, name)
    _finite(two, other)
    return one, two


def _finite(values: Floats, name: str) -> None:
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, got {values[~np.isfinite(values)][0]}")


def _flat(values: Floats) -> bool:
    return bool(np.ptp(values) <= ROUNDING * max(1e-300, float(np.abs(values).max())))
