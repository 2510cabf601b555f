"""The figures of a checkpoint as plain data, and what in them should alarm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from inward_statistics import correlation

from inward.diagnose.checkpoint import Checkpoint
from inward.diagnose.tokens import WINDOW

AGREED = 0.1
"""Nats: a group of 8 of which one differs has 0.38, so hardly any sibling differs below it."""
NO_GAIN = 0.01
"""maj@k less pass@1: below it, voting corrects nothing any more."""
SOLVED = 0.9
"""A policy that is right this often agrees with itself for a good reason."""
LENGTH_PAYS = 0.5
"""Correlation of a reward with length that is told."""


def figures(read: Checkpoint, threshold: float | None) -> dict[str, Any]:
    """`threshold`: the window entropy from which a window is high, from the first checkpoint."""
    tokens = read.tokens
    entropy, source = tokens.entropy.mean, "tokens"
    if entropy is None and "entropy/all/mean" in read.metrics:
        entropy, source = read.metrics["entropy/all/mean"], "metrics.jsonl"
    surprisal, covariance = tokens.surprisal.mean, read.covariance()
    gap = _mismatch(read)
    lengths = [(e.tokens, e.reward) for e in read.entries if e.tokens is not None]
    windows = int(tokens.windows.sum())
    return {
        "checkpoint": read.label,
        "step": read.step,
        "rollouts": read.scored,
        "failed": read.failed,
        "unreadable": len(read.unreadable),
        "reward": read.reward,
        "performance": read.performance,
        "groups": len(read.several),
        "share_without_spread": read.without_spread,
        "entropy": entropy,
        "entropy_source": source if entropy is not None else None,
        "surprisal": surprisal,
        "phases": {name: average.mean for name, average in tokens.phases.items()},
        "high_window_entropy": None
        if threshold is None or not windows
        else {
            "window": WINDOW,
            "threshold": threshold,
            "share": tokens.high(threshold) / windows,
            "per_rollout": tokens.high(threshold) / max(1, read.scored),
        },
        "covariance_log_probability_advantage": covariance[0] if covariance else None,
        "advantage": covariance[1] if covariance else None,
        "answers": read.answers(),
        "rewards": read.parts(),
        "correlation_reward_length": correlation(
            [float(length) for length, _ in lengths], [reward for _, reward in lengths]
        ),
        "layer_profile": _profile(read),
        "mismatch": gap,
        "perplexity_gap": abs(surprisal - entropy)
        if surprisal is not None and entropy is not None and source == "tokens"
        else None,
    }


def _mismatch(read: Checkpoint) -> dict[str, Any] | None:
    found = read.tokens.mismatch()
    if found is not None:
        return asdict(found) | {"source": "tokens"}
    if "mismatch_kl/all/mean" in read.metrics:
        return {
            "kl": read.metrics["mismatch_kl/all/mean"],
            "mean_difference": None,
            "largest_difference": None,
            "tokens": None,
            "source": "metrics.jsonl",
        }
    return None


def _profile(read: Checkpoint) -> list[dict[str, Any]] | None:
    """Mean matrix entropy by layer, of all, of right and of wrong rollouts."""
    layers = sorted({layer for layer, _ in read.layers})
    if not layers:
        return None
    return [
        {"layer": layer}
        | {
            of: read.layers[layer, of].mean if (layer, of) in read.layers else None
            for of in ("all", "right", "wrong")
        }
        for layer in layers
    ]


def alarms(found: Sequence[dict[str, Any]]) -> list[str]:
    """What a person should look at, a line each."""
    lines = []
    for one in found:
        name, answers = one["checkpoint"], one["answers"]
        if (
            answers is not None
            and answers["gap"] is not None
            and answers["entropy"] < AGREED
            and answers["gap"] < NO_GAIN
            and answers["pass_at_1"] < SOLVED
        ):
            lines.append(
                f"{name}: collapse: siblings give one answer (entropy {answers['entropy']:.3f}"
                f" nats), right in {answers['pass_at_1']:.0%}; maj@{answers['k']} gains"
                f" {answers['gap']:+.3f} over pass@1"
            )
        if one["share_without_spread"] == 1:
            lines.append(f"{name}: no group has spread: a trainer gets no gradient")
        lines += [
            f"{name}: reward {part['reward']!r} correlates with length"
            f" ({part['correlation_with_length']:+.2f})"
            for part in one["rewards"]
            if abs(part["correlation_with_length"] or 0) >= LENGTH_PAYS
        ]
    return lines
