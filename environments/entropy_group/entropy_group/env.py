"""entropy-group: several rollouts per task, paid for the entropy of their hidden states.

`--env.id entropy-group` over any taskset plays `--env.group` rollouts per episode. Each is judged
by the taskset's own rewards as usual; then the siblings' entropies are compared, and the bonus is
one more reward, `entropy_bonus`, of those that the gate reward finds right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

import verifiers.v1 as vf
from inward_chat import (
    LocalEnv,
    LocalEnvConfig,
    local_agent,
    named_harness,
    refuse_own_harness,
)
from inward_rewards.any_taskset import GateConfig, plug_in, weight_of
from inward_rewards.entropy import (
    BonusConfig,
    BonusEnv,
    BonusEnvConfig,
    Record,
    metrics_of,
)
from pydantic import ModelWrapValidatorHandler, model_validator

NAME = "entropy_bonus"
"""Of the reward, of its entry among the taskset's metrics, and of the record in `trace.info`."""
# `vf-replay` knows no environment: it runs what the config of the run has plugged in.
REPLAYED_REWARD = "inward_rewards.plugins:entropy_bonus"
REPLAYED_METRICS = "inward_rewards.plugins:entropy_metrics"


class EntropyGroupEnvConfig(GateConfig, BonusConfig, BonusEnvConfig, LocalEnvConfig):
    agent: vf.AgentConfig = local_agent()
    gate_reward: str = ""
    """The taskset's reward that says whether a rollout is right. To be named wherever that counts:
    for `gate correct` (the default) and for `zscore_over correct`."""

    @model_validator(mode="wrap")
    @classmethod
    def _fits_the_taskset(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, Mapping):
            return handler(data)
        harness = named_harness(data.get("agent"))
        config = handler(dict(data))
        # verifiers makes a config without a taskset before it reads the command line.
        if "taskset" in config.model_fields_set and config.taskset.id:
            config.check_group(config.group)
            config.check_gate(
                config.taskset,
                NAME,
                needed=config.judges,
                otherwise=", or open the gate with --env.gate none",
            )
            if not harness:
                refuse_own_harness(config.taskset.id)
            config.taskset.task = plug_in(
                config.taskset.task, NAME, REPLAYED_REWARD, REPLAYED_METRICS
            )
        return config

    @property
    def judges(self) -> bool:
        """Whether it counts what is right."""
        return "correct" in (self.gate, self.zscore_over)


class EntropyGroupEnv(BonusEnv, LocalEnv, vf.Env[EntropyGroupEnvConfig]):
    key = reward = NAME
    prefix = "entropy_"

    @property
    def bonus_config(self) -> BonusConfig:
        return cast(BonusConfig, self.config)

    def verdict(self, trace: vf.Trace[Any, Any, Any]) -> bool | None:
        config = self.config
        return config.is_right(trace) if config.judges else True

    def pay(self, task: vf.Task[Any, Any, Any], trace: vf.Trace[Any, Any, Any]) -> None:
        super().pay(task, trace)
        if self.meter is not None:
            self.meter.keep_settings(trace, self.bonus_config)
            record = Record.of(trace, self.key)
            trace.record_metrics(metrics_of(record, self.bonus_config.entropy, self.prefix))

    def weight(self, task: vf.Task[Any, Any, Any]) -> float:
        return weight_of(self.config.taskset.task, NAME)
