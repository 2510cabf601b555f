"""group-reward: several rollouts per task, and one reward more, which compares them.

`--env.id group-reward --env.reward NAME` over any taskset plays `--env.group` rollouts per episode.
Each is judged by the taskset's own rewards as usual; when all have ended, the reward is recorded as
`group_reward`. docs/rewards.md has a row for each name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import verifiers.v1 as vf
from inward_chat import (
    LocalEnv,
    LocalEnvConfig,
    local_agent,
    named_harness,
    refuse_own_harness,
)
from inward_rewards.any_taskset import (
    INDEX,
    GateConfig,
    GroupEnv,
    GroupEnvConfig,
    keeping_token_ids,
    plug_in,
    weight_of,
)
from inward_rewards.group_rewards import METHODS, Group, GroupRewardConfig, Method, members_of
from inward_rewards.hidden_states import Source, make_source, span_source
from pydantic import Field, ModelWrapValidatorHandler, model_validator

NAME = "group_reward"
"""Of the reward, of its entry among the taskset's metrics, and of the record in `trace.info`."""
REPLAYED_REWARD = "inward_rewards.plugins:group_reward"
REPLAYED_METRICS = "inward_rewards.plugins:group_reward_metrics"

AnyTask = vf.Task[Any, Any, Any]


class GroupRewardEnvConfig(GateConfig, GroupRewardConfig, GroupEnvConfig, LocalEnvConfig):
    agent: vf.AgentConfig = local_agent()
    group: int = Field(8, ge=1)
    """Rollouts per episode, which are compared."""

    @model_validator(mode="wrap")
    @classmethod
    def _fits_the_taskset(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, Mapping):
            return handler(data)
        harness = named_harness(data.get("agent"))
        config = handler(dict(data))
        # verifiers makes a config without a taskset before it reads the command line.
        if "taskset" in config.model_fields_set and config.taskset.id:
            config._check_reward()
            config.check_gate(config.taskset, NAME, needed=config.method.judged)
            if not harness:
                refuse_own_harness(config.taskset.id)
            task = plug_in(config.taskset.task, NAME, REPLAYED_REWARD, REPLAYED_METRICS)
            config.taskset.task = config._without_the_gate(task)
        return config

    @property
    def method(self) -> Method:
        assert self.reward is not None  # checked as soon as there is a taskset
        return METHODS[self.reward]

    def _check_reward(self) -> None:
        if self.reward is None:
            raise ValueError(
                f"reward is not set: name one with --env.reward ({', '.join(METHODS)})"
            )
        method, source = self.method, self.entropy.source
        if self.group < method.smallest:
            raise ValueError(
                f"reward {self.reward!r} compares siblings: set --env.group to {method.smallest} "
                f"or more, not {self.group}"
            )
        if method.measures and source not in ("vllm", "transformers"):
            raise ValueError(
                f"reward {self.reward!r} is made of {', '.join(method.measures)}: set "
                '--env.entropy.source to "vllm" (a server started with the inward plugin and these '
                f'measures) or "transformers", not {source!r}'
            )
        if not method.measures and source != "off":
            raise ValueError(
                f"reward {self.reward!r} measures nothing: leave --env.entropy.source out"
            )

    def _without_the_gate(self, task: vf.TaskConfig) -> vf.TaskConfig:
        """Weight 0 for the reward whose place is taken, where the config names none."""
        if not self.method.replaces:
            return task
        name = self.gate_reward
        method = getattr(vf.task_type(self.taskset.id), name, None)
        if name not in task.rewards and not hasattr(method, "reward"):
            raise ValueError(
                f"reward {self.reward!r} takes the place of the gate reward, and {name!r} is no "
                "function of the taskset whose weight could be set to 0: choose one that is"
            )
        entry = task.rewards.get(name, vf.RewardFunctionConfig())
        if entry.weight is None:
            entry = entry.model_copy(update={"weight": 0.0})
        copied: vf.TaskConfig = task.model_copy(update={"rewards": task.rewards | {name: entry}})
        return copied


class GroupRewardEnv(GroupEnv, LocalEnv, vf.Env[GroupRewardEnvConfig]):
    def __init__(self, config: GroupRewardEnvConfig) -> None:
        super().__init__(config)
        self._source: Source | None = None

    async def start(self) -> None:
        source = make_source(self.config.entropy)
        if source is not None:
            self._source = await source.__aenter__()

    async def stop(self) -> None:
        if self._source is not None:
            await self._source.__aexit__(None, None, None)
            self._source = None

    async def setup(self, agents: vf.Agents) -> None:
        if self._source is not None:
            self.ask_for_token_ids(agents)

    def played(self, task: AnyTask) -> AnyTask:
        return task if self._source is None else keeping_token_ids(task)

    async def finalize(self, task: AnyTask, episode: vf.Episode[Any, Any]) -> None:
        """Measure the siblings, compare and pay them. One that failed has no part in it."""
        config = self.config
        done = sorted((t for t in episode.traces if t.ok), key=lambda trace: trace.info[INDEX])
        members = await members_of(
            done,
            config if config.method.judged else None,
            config,
            measures=config.method.measures,
            phases=config.method.phases,
            source=None if self._source is None else span_source(self._source),
        )
        paid = await config.method.pay(Group(task.key, members, config))
        weight = weight_of(config.taskset.task, NAME)
        for trace, score in zip(done, paid.scores, strict=True):
            metrics = {f"{NAME}_{name}": value for name, value in paid.metrics.items()}
            trace.info[NAME] = {"reward": config.reward, "score": score, "metrics": metrics}
            trace.record_metrics(metrics)
            if score is not None:
                trace.record_reward(NAME, score, weight)
