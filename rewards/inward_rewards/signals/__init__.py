"""Rewards of the literature, each as a pure function: no verifiers, no torch, no network.

    text         reasoning phrases, Magistral's parts, HuatuoGPT-o1's three levels
    confidence   RENT, EM-RL, PEAR, Intuitor: one number per token in, one reward out
    votes        TTRL, EMPO, TTRV: the answers of a group
    exploration  RepExp's elliptical bonus, effective-rank dynamics
    difficulty   ARES: how much a group should explore, by how often it is right
    controls     random, shuffled and flipped rewards: what every other one must beat
    images       a description's gain over its patch-shuffled picture
    steps        how much each step of a reasoning tells of the reference answer

docs/rewards.md has a row for each: formula, needs, range, known hacks with their scores, evidence.
"""

from inward_rewards.signals.confidence import (
    UNREADABLE,
    em_rl_sequence,
    em_rl_token,
    exact_entropies,
    pear,
    rent,
    self_certainty,
)
from inward_rewards.signals.controls import flips, noisy, random_bonus, shuffled
from inward_rewards.signals.difficulty import (
    Difficulty,
    ares,
    difficulty_of,
    target_of,
    window_entropies,
)
from inward_rewards.signals.exploration import elliptical_bonus, rank_dynamics
from inward_rewards.signals.images import patch_shuffled, specificity
from inward_rewards.signals.steps import entropy_reductions, reasoning_steps
from inward_rewards.signals.text import (
    calibrated,
    huatuo,
    magistral,
    reasoning_patterns,
    repeated_ngrams,
)
from inward_rewards.signals.votes import (
    answer_entropy,
    clusters,
    majority,
    semantic_entropy,
    ttrv,
)

__all__ = [
    "UNREADABLE",
    "Difficulty",
    "answer_entropy",
    "ares",
    "calibrated",
    "clusters",
    "difficulty_of",
    "elliptical_bonus",
    "em_rl_sequence",
    "em_rl_token",
    "entropy_reductions",
    "exact_entropies",
    "flips",
    "huatuo",
    "magistral",
    "majority",
    "noisy",
    "patch_shuffled",
    "pear",
    "random_bonus",
    "rank_dynamics",
    "reasoning_patterns",
    "reasoning_steps",
    "rent",
    "repeated_ngrams",
    "self_certainty",
    "semantic_entropy",
    "shuffled",
    "specificity",
    "target_of",
    "ttrv",
    "window_entropies",
]
