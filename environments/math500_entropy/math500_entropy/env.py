"""The environment owns what no rollout can: the source of hidden states, and the group."""

from typing import Any, Self, cast

import verifiers.v1 as vf
from inward_chat import LocalEnv, LocalEnvConfig, local_agent
from inward_rewards.entropy import BonusConfig, BonusEnv, BonusEnvConfig, Meter
from pydantic import model_validator


class Math500EntropyEnvConfig(BonusEnvConfig, LocalEnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=1)

    @model_validator(mode="after")
    def _group_is_large_enough(self) -> Self:
        task, taskset = self.taskset.task, self.taskset.id
        if isinstance(task, BonusConfig):
            task.check_group(self.group)
        elif taskset:  # verifiers first makes one without
            raise ValueError(f"{taskset!r} has no bonus of its own: use --env.id entropy-group")
        return self


class Math500EntropyEnv(BonusEnv, LocalEnv, vf.Env[Math500EntropyEnvConfig]):
    @property
    def bonus_config(self) -> BonusConfig:
        return cast(BonusConfig, self.config.taskset.task)

    def metered(self, task: vf.Task[Any, Any, Any], meter: Meter) -> vf.Task[Any, Any, Any]:
        return cast(Any, task).metered(meter)  # type: ignore[no-any-return]

    def verdict(self, trace: vf.Trace[Any, Any, Any]) -> bool | None:
        return cast(bool | None, trace.info.get("correct"))
