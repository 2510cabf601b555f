"""What a trainer gets: samples, in the groups that advantages are taken over.

Plain data, free of verifiers and torch, that travels as JSON.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = 2
"""Raised whenever the JSON of a group changes."""


@dataclass(frozen=True)
class Sample:
    """One sequence to train on: a branch of a rollout, as verifiers makes them.

    A conversation that only grows is one branch; where a renderer or a harness rewrites what came
    before, each version is a branch, and a sample, of its own.
    """

    prompt_ids: tuple[int, ...]
    """Tokens before the first one that the policy sampled."""
    completion_ids: tuple[int, ...]
    """All tokens after: what the policy sampled, tool results and templates between."""
    logprobs: tuple[float, ...]
    """Of `completion_ids` as the engine sampled them, in nats; 0 where `loss_mask` is false."""
    loss_mask: tuple[bool, ...]
    """Of `completion_ids`: whether the policy sampled this token."""
    reward: float
    """Of the whole rollout: the weighted sum of `rewards`."""
    rewards: Mapping[str, float]
    """The parts of the reward, weighted."""
    metrics: Mapping[str, float]
    rollout: str
    """The rollout's id (verifiers' trace id). Samples of one rollout share its reward."""
    agent: str
    """The seat that the policy played."""
    images: tuple[str, ...]
    """Pictures of the conversation in order, as the messages hold them (data URLs)."""
    stop: str
    """Why the rollout ended (verifiers' stop condition)."""
    truncated: bool
    """Whether a limit on turns or tokens ended it."""
    weights: tuple[int, int]
    """The version of the policy's weights when the rollout's episode began, and when it ended."""
    episode: str = ""
    """The id of the episode that the rollout is part of: with others, where an environment plays
    several."""

    def __post_init__(self) -> None:
        n = len(self.completion_ids)
        if len(self.logprobs) != n or len(self.loss_mask) != n:
            raise ValueError(
                f"a sample of {n} completion tokens has {len(self.logprobs)} logprobs and"
                f" {len(self.loss_mask)} mask entries"
            )
        if not any(self.loss_mask):
            raise ValueError("a sample without a sampled token")
        if not math.isfinite(self.reward):
            raise ValueError(f"a sample's reward is {self.reward}")
        if not all(map(math.isfinite, self.logprobs)):
            raise ValueError("a sample's logprobs are not all finite")


@dataclass(frozen=True)
class Failure:
    """A rollout that has no reward, because the machine failed. It is no sample."""

    cause: str
    """The error's type."""
    message: str


@dataclass(frozen=True)
class Group:
    """All rollouts of one task that are compared with one another."""

    id: str
    task: str
    """The task's key (verifiers' `Task.key`)."""
    index: int
    """The task's position in the taskset."""
    samples: tuple[Sample, ...]
    planned: int
    """Rollouts that were meant to be in the group; a failed episode of an environment that owns its
    groups counts as one, since nobody knows how many it would have held."""
    failures: tuple[Failure, ...] = ()
    """One for each rollout, or episode of an environment that owns its groups, that failed."""
    repeated: tuple[str, ...] = ()
    """The seats that an episode plays more than once."""

    @property
    def rewards(self) -> dict[str, float]:
        """Reward by rollout."""
        return {sample.rollout: sample.reward for sample in self.samples}

    @property
    def lost(self) -> int:
        """Rollouts that failed, as `planned` counts them: the mean of what is left is not the one
        that was planned."""
        return self.planned - len(self.rewards)

    def advantages(self) -> list[float]:
        """Reward less the mean over the rollouts that a sample's is compared with; not divided by
        the standard deviation (arXiv 2503.20783, section 3.1), which would blow a bonus of 0.1 in a
        group that is otherwise all right up to the size of the answer's own reward.

        A seat is compared with itself alone: within its episode where that plays it more than once
        (the solvers of one proposal), else over the whole group (the proposers of one task), as
        prime-rl's `hierarchical_grpo` does. Zero where fewer than two rollouts are left to compare.
        """
        rewards = self.rewards
        rollouts: dict[str, Sample] = {sample.rollout: sample for sample in self.samples}
        peers: dict[tuple[str, str], list[float]] = defaultdict(list)
        for one in rollouts.values():
            peers[self.compared(one)].append(rewards[one.rollout])
        # Of equal rewards exactly theirs: what rounding left would count as a signal.
        means = {
            key: found[0] if min(found) == max(found) else math.fsum(found) / len(found)
            for key, found in peers.items()
        }
        return [sample.reward - means[self.compared(sample)] for sample in self.samples]

    def compared(self, sample: Sample) -> tuple[str, str]:
        """What a sample shares with those that it is compared with."""
        return sample.agent, sample.episode if sample.agent in self.repeated else ""

    def as_json(self) -> dict[str, Any]:
        """The group for `json.dumps`; `from_json` reads it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Group:
        """Raises ValueError, TypeError or KeyError for what `as_json` has not written."""
        samples = tuple(Sample(**_tuples(sample)) for sample in value["samples"])
        failures = tuple(Failure(**failure) for failure in value["failures"])
        repeated = tuple(value["repeated"])
        found = {"samples": samples, "failures": failures, "repeated": repeated}
        return cls(**{**value, **found})


def _tuples(sample: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in sample.items()}
