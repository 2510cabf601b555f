"""TRL's `GRPOTrainer` on any verifiers v1 environment, through `rollout_func` (TRL 1.16).

    with Blocking(lambda: RemoteRollouts("http://127.0.0.1:8765")) as rollouts:
        trainer = GRPOTrainer(
            model,
            reward_funcs=reward,
            rollout_func=rollout_func(rollouts),
            train_dataset=dataset(rollouts),
            args=GRPOConfig(scale_rewards="none", …),
        )

`scale_rewards="none"`: dividing by a group's standard deviation blows a bonus of 0.1 in a group
that is otherwise all right up to the size of the answer's own reward.

The trainer repeats each prompt `num_generations` times and compares those. An environment that
plays a group in each episode therefore does not fit, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from inward_training.blocking import Blocking
from inward_training.errors import RolloutsError
from inward_training.samples import Group
from inward_training.sequences import only, task_count

if TYPE_CHECKING:
    from datasets import Dataset

REWARD = "rollout_reward"
"""The extra field in which a rollout's reward reaches `reward`; None where it failed."""


def dataset(rollouts: Blocking, tasks: int | None = None) -> Dataset:
    """One row per task, whose prompt only names it: the environment has the real one.

    Args:
        tasks: how many, from the first; all where left out.

    Raises:
        ValueError: the tasks never end and `tasks` is left out, or there are not so many.
    """
    from datasets import Dataset

    return Dataset.from_list(
        [
            {"prompt": f"{rollouts.environment} task {index}"}
            for index in range(task_count(rollouts, tasks))
        ]
    )


def rollout_func(rollouts: Blocking) -> Callable[[Sequence[Any], Any], dict[str, list[Any]]]:
    """What `GRPOTrainer(rollout_func=…)` takes."""

    def play(prompts: Sequence[Any], trainer: Any) -> dict[str, list[Any]]:
        rollouts.weights = trainer.state.global_step
        rows = [_row(group) for group in rollouts.play(map(_index, prompts))]
        return {key: [row[key] for row in rows] for key in rows[0]}

    return play


def reward(completions: Sequence[Any], **fields: Any) -> list[float | None]:
    """What `GRPOTrainer(reward_funcs=…)` takes: the environment's own reward. A failed rollout has
    None, which TRL leaves out of the group."""
    rewards: list[float | None] = fields[REWARD]
    return rewards


def _index(prompt: Any) -> int:
    found = re.search(r" task (\d+)$", prompt) if isinstance(prompt, str) else None
    if found is None:
        raise RolloutsError(f"the prompt {prompt!r} names no task: use inward_training.trl.dataset")
    return int(found[1])


def _row(group: Group) -> dict[str, Any]:
    """The trainer takes one sequence per prompt."""
    sample = only(group, "GRPOTrainer")
    if sample is None:
        # Failed: a token that trains nothing.
        ids: dict[str, Any] = {"prompt_ids": [0], "completion_ids": [0], "logprobs": [0.0]}
        return {**ids, "env_mask": [0], REWARD: None}
    return {
        "prompt_ids": list(sample.prompt_ids),
        "completion_ids": list(sample.completion_ids),
        "logprobs": list(sample.logprobs),
        "env_mask": [int(m) for m in sample.loss_mask],
        REWARD: sample.reward,
    }
