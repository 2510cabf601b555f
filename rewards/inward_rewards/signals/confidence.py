"""Rewards of the policy's own confidence: one number per token of a completion in, one out.

Each takes `TokenValues`, whose `kind` says how the numbers were made: exactly, from the engine's
logits (`exact_entropies`), or as a bound or an estimate, from an API's log probabilities
(`inward_rewards.tokens`). An entropy of the top k, tail dropped or lumped, is a lower bound, and so
RENT and EM-RL of it are upper bounds of the reward.

A policy is confident of what it says again, whether it is right or not. Alone, rewards of this kind
gain for some 20 steps and then fall below the start (arXiv 2506.17219) or collapse (arXiv
2605.22620).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from inward_rewards.tokens import TokenValues

UNREADABLE = -7.0
"""RENT's floor for a reply without a readable answer, in nats."""


def exact_entropies(nats: Sequence[float]) -> TokenValues:
    """Token entropies over the whole vocabulary, as the engine measures them.

    ValueError: a value that is not finite, or below 0 by more than rounding.
    """
    for value in nats:
        if not (math.isfinite(value) and value >= -1e-3):
            raise ValueError(f"a token entropy is a finite number of at least 0, got {value!r}")
    return TokenValues(tuple(max(0.0, value) for value in nats), "exact entropy")


def rent(entropies: TokenValues, *, answered: bool = True, floor: float | None = None) -> float:
    """-(1/T) Σ_t H_t over the T tokens of the completion: nats, -ln V to 0.

    `floor`: where given, the reward of a reply in which no answer can be read; RENT's own is
    `UNREADABLE`. Source: RENT (arXiv 2505.22660).
    """
    return -entropies.mean if answered or floor is None else floor


def em_rl_token(entropies: TokenValues) -> float:
    """-Σ_t H_t: nats, at most 0, and lower for each further token.

    Source: EM-RL-token, The Unreasonable Effectiveness of Entropy Minimization (arXiv 2505.15134).
    """
    return -math.fsum(entropies.values)


def em_rl_sequence(logprobs: Sequence[float]) -> float:
    """Σ_t ln π(y_t) of the sampled tokens: at most 0, and lower for each further token.

    Source: EM-RL-sequence (arXiv 2505.15134). ValueError: no token, or a value that is no log
    probability.
    """
    if not logprobs:
        raise ValueError("no token to sum the log probabilities of")
    for logprob in logprobs:
        if not (math.isfinite(logprob) and logprob <= 1e-6):
            raise ValueError(
                f"a sampled token's log probability is finite and at most 0: {logprob!r}"
            )
    return math.fsum(logprobs)


def self_certainty(certainties: Sequence[float]) -> float:
    """Mean over the tokens of KL(uniform ‖ π_t) = -(1/V) Σ_v ln(V π_t(v)): nats, at least 0.

    Source: Intuitor (arXiv 2505.19590). Full logits only: there is no bound of it from
    the top k, for the tail is what it is made of. ValueError: no token, or a value below 0.
    """
    if not certainties or not all(math.isfinite(c) and c >= -1e-3 for c in certainties):
        raise ValueError(
            f"self-certainty needs at least one token and finite values of at least 0, got "
            f"{list(certainties[:8])!r}"
        )
    return math.fsum(certainties) / len(certainties)


def pear(
    entropies: TokenValues,
    boundary: int | None,
    right: bool,
    *,
    alpha: float = 1.0,
    wrong: float = 0.0,
) -> float:
    """min(1, 1 - P) of a right reply, P = max(0, H̄_think - alpha · H̄_answer); `wrong` of another.

    `boundary`: index of the first token behind `</think>`. None: it never came, all is thinking,
    and H̄_answer is 0 (the source does not say; to take it all for answer would pay a reply for
    leaving its thinking open). A phase without tokens has mean 0. A right reply can fall below
    `wrong`: its thinking is then more than a nat per token above its answer.
    Source: PEAR (arXiv 2510.08026).
    """
    if not entropies.values:
        raise ValueError("no token to take the mean of")
    if not right:
        return wrong
    cut = len(entropies.values) if boundary is None else boundary
    thinking, answer = entropies.phases(cut)
    return min(1.0, 1.0 - max(0.0, (thinking or 0.0) - alpha * (answer or 0.0)))
