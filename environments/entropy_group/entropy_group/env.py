"""entropy-group: several rollouts per task, paid for the entropy of their hidden states.

`--env.id entropy-group` over any taskset plays `--env.group` rollouts per episode. Each is judged
by the taskset's own rewards as usual; then the siblings' entropies are compared, and the bonus is
one more reward, `entropy_bonus`, of those that the gate reward finds right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self, cast

import verifiers.v1 as vf
from inward_chat import InwardChatConfig, LocalEnv, LocalEnvConfig, local_agent
from inward_rewards.entropy import (
    BonusConfig,
    BonusEnv,
    BonusEnvConfig,
    Record,
    metrics_of,
)
from pydantic import Field, ModelWrapValidatorHandler, model_validator

from entropy_group.names import reward_names

NAME = "entropy_bonus"
"""Of the reward, of its entry among the taskset's metrics, and of the record in `trace.info`."""
# `vf-replay` knows no environment: it runs what the config of the run has plugged in.
REPLAYED_REWARD = "inward_rewards.plugins:entropy_bonus"
REPLAYED_METRICS = "inward_rewards.plugins:entropy_metrics"


class EntropyGroupEnvConfig(BonusConfig, BonusEnvConfig, LocalEnvConfig):
    agent: vf.AgentConfig = local_agent()
    gate_reward: str = ""
    """The taskset's reward that says whether a rollout is right. To be named wherever that counts:
    for `gate correct` (the default) and for `zscore_over correct`."""
    gate_threshold: float = Field(1.0, allow_inf_nan=False)
    """A rollout is right where its gate reward, before its weight, reaches this."""

    @model_validator(mode="wrap")
    @classmethod
    def _fits_the_taskset(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, Mapping):
            return handler(data)
        harness = _named_harness(data.get("agent"))
        config = handler(dict(data))
        # verifiers makes a config without a taskset before it reads the command line.
        if "taskset" in config.model_fields_set and config.taskset.id:
            config.check_group(config.group)
            config._check_gate()
            if not harness:
                config._check_harness()
            config._plug_in_the_replay()
        return config

    @property
    def judges(self) -> bool:
        """Whether it counts what is right."""
        return "correct" in (self.gate, self.zscore_over)

    def _check_gate(self) -> None:
        task = self.taskset.task
        others = {name: entry for name, entry in task.rewards.items() if name != NAME}
        names, all_known = reward_names(
            self.taskset.id, task.model_copy(update={"rewards": others})
        )
        has = f"{self.taskset.id!r} has {', '.join(map(repr, names)) or 'none known'}"
        if NAME in names:
            raise ValueError(f"the taskset pays a reward {NAME!r} of its own: {has}")
        if self.judges and not self.gate_reward:
            raise ValueError(
                "gate_reward is not set: name the reward that says whether a rollout is right with "
                f"--env.gate-reward ({has}), or open the gate with --env.gate none"
            )
        if self.judges and all_known and self.gate_reward not in names:
            raise ValueError(f"gate_reward {self.gate_reward!r} is no reward of the taskset: {has}")

    def _check_harness(self) -> None:
        own = vf.default_harness_id(self.taskset.id)
        if own != self.taskset.id or issubclass(vf.harness_config_type(own), InwardChatConfig):
            return
        raise ValueError(
            f"the taskset {self.taskset.id!r} brings a harness of its own: take it with "
            f"--env.agent.harness.id {own} (it must not stream, or the train client must play it), "
            "or play without it with --env.agent.harness.id inward-chat"
        )

    def _plug_in_the_replay(self) -> None:
        task = self.taskset.task
        reward = task.rewards.get(NAME, vf.RewardFunctionConfig())
        if reward.fn not in (None, REPLAYED_REWARD):
            raise ValueError(
                f"the reward {NAME!r} is this environment's, and the config plugs {reward.fn!r} in "
                "under that name: give it another"
            )
        metrics = task.metrics | {NAME: vf.DecoratedFunctionConfig(fn=REPLAYED_METRICS)}
        rewards = task.rewards | {NAME: reward.model_copy(update={"fn": REPLAYED_REWARD})}
        self.taskset.task = task.model_copy(update={"metrics": metrics, "rewards": rewards})


def _named_harness(seat: object) -> object:
    """The id of the harness that the input itself names for its seat."""
    harness = seat.get("harness") if isinstance(seat, Mapping) else getattr(seat, "harness", None)
    return harness.get("id") if isinstance(harness, Mapping) else getattr(harness, "id", None)


class EntropyGroupEnv(BonusEnv, LocalEnv, vf.Env[EntropyGroupEnvConfig]):
    key = reward = NAME
    prefix = "entropy_"

    @property
    def bonus_config(self) -> BonusConfig:
        return cast(BonusConfig, self.config)

    def verdict(self, trace: vf.Trace[Any, Any, Any]) -> bool | None:
        name = self.config.gate_reward
        if not self.config.judges:
            return True
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
        return bool(reward.score >= self.config.gate_threshold)

    def pay(self, task: vf.Task[Any, Any, Any], trace: vf.Trace[Any, Any, Any]) -> None:
        super().pay(task, trace)
        if self.meter is not None:
            self.meter.keep_settings(trace, self.bonus_config)
            record = Record.of(trace, self.key)
            trace.record_metrics(metrics_of(record, self.bonus_config.entropy, self.prefix))

    def weight(self, task: vf.Task[Any, Any, Any]) -> float:
        weight = self.config.taskset.task.rewards[NAME].weight
        return 1.0 if weight is None else weight
