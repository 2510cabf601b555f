"""Whether a policy has been trained on a question: scores per question, and how well they tell.

Log-probabilities and entropies are in nats. Higher scores speak for contamination. A score is worth
what its AUC on questions of known origin says, with this policy: measure it before you use it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from inward_statistics.intervals import Mean, Z

SHARE = 0.2
"""Of the tokens, those that Min-K% Prob is taken over."""
HALVINGS = 50
"""Of an interval's edge, which is known to 1e-15 then."""


def self_critique(first: Sequence[float], second: Sequence[float]) -> float:
    """Self-Critique [arXiv:2510.09259]: the cosine of two series of token entropies, the shorter
    one padded with zeros, times the shorter length over the longer.

    `first`: of the greedy answer. `second`: of a greedy answer that is to differ, with the first in
    its context; a policy that was trained on the question repeats itself. The source takes each
    token's 50 likeliest, not renormalised: the tail `drop` of `inward_rewards.tokens`. 0 where a
    series is empty or all 0. ValueError: an entropy that is negative or not finite.
    """
    for value in (*first, *second):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"a token entropy is finite and at least 0, got {value!r}")
    shorter, longer = sorted((len(first), len(second)))
    scale = math.sqrt(math.fsum(v * v for v in first) * math.fsum(v * v for v in second))
    if not shorter or not scale:
        return 0.0
    shared = math.fsum(a * b for a, b in zip(first, second, strict=False))
    return shared / scale * shorter / longer


def min_k_prob(log_probabilities: Sequence[float], share: float = SHARE) -> float:
    """Min-K% Prob [Shi et al. 2024, arXiv:2310.16789]: the mean log-probability of the least likely
    `share` of the tokens, one at least. ValueError without a token, and for a share outside (0, 1].
    """
    if not log_probabilities or not 0 < share <= 1:
        raise ValueError(
            f"{len(log_probabilities)} tokens and a share of {share!r}: Min-K% Prob needs a token"
            " or more, and a share above 0 and at most 1"
        )
    lowest = sorted(log_probabilities)[: max(1, int(share * len(log_probabilities)))]
    return math.fsum(lowest) / len(lowest)


def recall_ratio(conditioned: Sequence[float], alone: Sequence[float]) -> float:
    """ReCaLL [Xie et al. 2024, arXiv:2406.15968]: the mean log-probability of a text's tokens
    behind another text, which was not trained on, over the mean without it. A text that was trained
    on loses more.

    Of the same tokens, in the same order. ValueError: other numbers of tokens, none, a value that
    is no log-probability, or a text that is certain without anything before it.
    """
    if len(conditioned) != len(alone) or not alone:
        raise ValueError(f"{len(conditioned)} and {len(alone)} tokens: ReCaLL reads the same ones")
    for value in (*conditioned, *alone):
        if not (math.isfinite(value) and value <= 1e-6):
            raise ValueError(f"a log-probability is finite and at most 0, got {value!r}")
    total = math.fsum(alone)
    if not total:
        raise ValueError("the text has probability 1 by itself: ReCaLL divides by its logarithm")
    return math.fsum(conditioned) / total


def area_under_curve(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """The chance that a positive scores above a negative, a tie counting half: the area under the
    ROC curve [Hanley and McNeil 1982]. 0.5 tells nothing. ValueError where one kind is missing, a
    score is not finite, or lengths differ."""
    if len(scores) != len(positive):
        raise ValueError(f"{len(scores)} scores, and {len(positive)} labels")
    values = np.asarray(scores, float)
    if not np.isfinite(values).all():
        raise ValueError(f"scores must be finite, got {list(scores)!r}")
    chosen = np.asarray(positive, bool)
    high, low = np.sort(values[chosen]), np.sort(values[~chosen])
    if not len(high) or not len(low):
        raise ValueError(f"{len(high)} positives and {len(low)} negatives: both are needed")
    below = np.searchsorted(low, high, side="left") + np.searchsorted(low, high, side="right")
    return float(below.sum()) / (2 * len(high) * len(low))


def area_interval(area: float, positives: int, negatives: int) -> Mean:
    """The area with its 95 % interval, by the numbers of independent positives and negatives:
    method 5 of Newcombe [2006, Statistics in Medicine 25, 559-573].

    It inverts the variance of Hanley and McNeil [1982], with half the numbers of both kinds for
    each. So its width is not 0 where the kinds are told apart without a fault. ValueError: no
    positive, no negative, or an area outside [0, 1].
    """
    if positives < 1 or negatives < 1 or not 0 <= area <= 1:
        raise ValueError(
            f"an area of {area!r} over {positives} positives and {negatives} negatives: an area is"
            " within [0, 1], and both kinds are needed"
        )
    others = (positives + negatives) / 2 - 1

    def near(true: float) -> bool:
        spread = 1 + others * ((1 - true) / (2 - true) + true / (1 + true))
        variance = true * (1 - true) / (positives * negatives) * spread
        return (area - true) ** 2 <= Z**2 * variance

    def edge(outside: float) -> float:
        if near(outside):
            return outside
        inside = area
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if near(middle) else (inside, middle)
        return inside

    count = positives + negatives
    return Mean(area, edge(0.0), edge(1.0), count, count)
