"""`vf-replay` knows no environment: it runs what the config of the run has plugged in."""

from __future__ import annotations

import verifiers.v1 as vf


def plug_in(task: vf.TaskConfig, name: str, reward: str, metrics: str) -> vf.TaskConfig:
    """A copy of a task's config with the environment's reward and metrics plugged in under `name`.

    ValueError: the config plugs another function in there.
    """
    entry = task.rewards.get(name, vf.RewardFunctionConfig())
    if entry.fn not in (None, reward):
        raise ValueError(
            f"the reward {name!r} is this environment's, and the config plugs {entry.fn!r} in "
            "under that name: give it another"
        )
    copied: vf.TaskConfig = task.model_copy(
        update={
            "metrics": task.metrics | {name: vf.DecoratedFunctionConfig(fn=metrics)},
            "rewards": task.rewards | {name: entry.model_copy(update={"fn": reward})},
        }
    )
    return copied


def weight_of(task: vf.TaskConfig, name: str) -> float:
    """Of a reward by its entry in the config; 1 where that names none."""
    entry = task.rewards.get(name)
    return 1.0 if entry is None or entry.weight is None else entry.weight
