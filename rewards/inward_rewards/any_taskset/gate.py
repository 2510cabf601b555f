"""A gate: one of the taskset's own rewards says what is right."""

from __future__ import annotations

import math
from typing import Any

import verifiers.v1 as vf
from pydantic import Field
from pydantic_config import BaseConfig

from inward_rewards.any_taskset.names import reward_names

AnyTrace = vf.Trace[Any, Any, Any]


class GateConfig(BaseConfig):  # type: ignore[misc]
    gate_reward: str = ""
    """The taskset's reward that says whether a rollout is right."""
    gate_threshold: float = Field(1.0, allow_inf_nan=False)
    """A rollout is right where its gate reward, before its weight, reaches this."""

    def check_gate(
        self, taskset: vf.TasksetConfig, own: str, *, needed: bool, otherwise: str = ""
    ) -> None:
        """ValueError: no gate reward where one is `needed`, or one that the taskset does not have;
        a reward of the taskset that has the name of the environment's `own`. `otherwise`: what else
        the user can do."""
        task = taskset.task
        others = {name: entry for name, entry in task.rewards.items() if name != own}
        names, all_known = reward_names(taskset.id, task.model_copy(update={"rewards": others}))
        has = f"{taskset.id!r} has {', '.join(map(repr, names)) or 'none known'}"
        if own in names:
            raise ValueError(f"the taskset pays a reward {own!r} of its own: {has}")
        if needed and not self.gate_reward:
            raise ValueError(
                "gate_reward is not set: name the reward that says whether a rollout is right with "
                f"--env.gate-reward ({has}){otherwise}"
            )
        if needed and all_known and self.gate_reward not in names:
            raise ValueError(f"gate_reward {self.gate_reward!r} is no reward of the taskset: {has}")

    def gate_score(self, trace: AnyTrace) -> float | None:
        """The gate reward's score, before its weight; None where a time limit cut it short.

        ValueError: the rollout has no such reward, or one that is not finite.
        """
        name = self.gate_reward
        if name not in trace.rewards:
            raise ValueError(
                f"gate_reward {name!r} is no reward of the rollout: it has "
                f"{', '.join(map(repr, trace.rewards)) or 'none'}"
            )
        reward = trace.rewards[name]
        if reward is None:  # its scoring was cut short by a time limit
            return None
        if not math.isfinite(reward.score):
            raise ValueError(f"gate_reward {name!r} is {reward.score!r}: mend that reward")
        return float(reward.score)

    def is_right(self, trace: AnyTrace) -> bool | None:
        """None and ValueError as in `gate_score`."""
        return self.reached(self.gate_score(trace))

    def reached(self, score: float | None) -> bool | None:
        """Of a gate score."""
        return None if score is None else score >= self.gate_threshold
