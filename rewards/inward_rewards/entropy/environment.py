"""The bonus in an environment: what the task and the environment of a group each do for it.

An environment owns two things that no rollout can: the source of hidden states and the group.
"""

from __future__ import annotations

import copy
import inspect
import logging
from collections.abc import Collection
from typing import Any, ClassVar, Literal, Self

import verifiers.v1 as vf
from pydantic import Field
from verifiers.v1.env import RunSlot

from inward_rewards.any_taskset import GroupEnv, GroupEnvConfig, mixed, weight_of
from inward_rewards.entropy.bonus import (
    KEY,
    AnyTrace,
    BonusConfig,
    Meter,
    Record,
    bonus_of,
    last_completion,
    metrics_of,
)
from inward_rewards.entropy.report import EntropyReport
from inward_rewards.hidden_states import Source, keep_token_ids, make_source

AnyTask = vf.Task[Any, Any, Any]

# verifiers shows the records of its own loggers only.
logger = logging.getLogger("verifiers.v1.inward_rewards")


class BonusTask:
    """Mixin of a `vf.Task` that has the bonus among its own rewards, as `entropy`.

    Its config is a `BonusConfig` too. `trace.info["correct"]`, the verdict, is set by a metric of
    the task: metrics run before rewards.
    """

    config: Any
    meter: Meter | None = None
    """Set by the environment, which owns the source."""

    def metered(self, meter: Meter | None) -> Self:
        """A copy whose rollouts `meter` measures."""
        clone = copy.copy(self)
        clone.meter = meter
        return clone

    def without(self, rewards: Collection[str]) -> None:
        """Weight 0 for these rewards, where the config names no weight.

        Of a copy of the config: it is saved with the run, and a zero that the user did not set
        would be read again as the user's own.
        """
        entries = dict(self.config.rewards)
        for name in rewards:
            entry = entries.get(name, vf.RewardFunctionConfig())
            if entry.weight is None:
                entries[name] = entry.model_copy(update={"weight": 0.0})
        self.config = self.config.model_copy(update={"rewards": entries})

    @vf.intercept
    def keep(self, response: vf.Response, trace: vf.Trace) -> None:  # type: ignore[type-arg]
        if self.config.entropy.source != "off":
            keep_token_ids(response, trace)

    async def finalize(self, trace: AnyTrace, runtime: vf.Runtime) -> None:
        """Measure the last completion, and keep the result where a replay finds it."""
        if self.config.entropy.source == "off":
            return
        if self.meter is not None:
            await self.meter.measure(trace)
        elif last_completion(trace) is not None:
            raise RuntimeError(
                "entropy.source needs the environment of this package, which opens it: run "
                "without --env.id"
            )

    @vf.metric
    async def hidden_states(self, trace: AnyTrace) -> dict[str, float]:
        # A server need not count tokens.
        counted = {} if trace.usage is None else {"completion_tokens": trace.num_output_tokens}
        return counted | metrics_of(Record.of(trace), self.config.entropy)

    @vf.reward
    async def entropy(self, trace: AnyTrace) -> dict[Literal["entropy"], float]:
        """The bonus, or nothing: no hidden states, or siblings that are not there yet."""
        paid = bonus_of(Record.of(trace), bool(trace.info["correct"]), self.config)
        return {} if paid is None else {"entropy": paid}


class BonusEnvConfig(GroupEnvConfig):
    group: int = Field(1, ge=1)
    """Rollouts per episode, whose entropies are compared. 1: the bonus is absolute."""


class BonusEnv(GroupEnv):
    """Plays `group` rollouts per episode and pays each its bonus when all have ended.

    A subclass says where the `BonusConfig` is, and what is right.
    """

    key: ClassVar[str] = KEY
    """Of the record in `trace.info`."""
    reward: ClassVar[str] = "entropy"
    """Under which the bonus is paid."""
    prefix: ClassVar[str] = ""
    """Of the names of its metrics."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.report = EntropyReport(self.reward, self.prefix)
        self.meter: Meter | None = None
        self._live: Source | None = None

    @property
    def bonus_config(self) -> BonusConfig:
        raise NotImplementedError

    def verdict(self, trace: AnyTrace) -> bool | None:
        """Whether a rollout is right; None: nobody judged it."""
        raise NotImplementedError

    def metered(self, task: AnyTask, meter: Meter) -> AnyTask:
        """The task as it is played: its rollouts are measured."""
        return metered(task, meter)

    def weight(self, task: AnyTask) -> float:
        """Of the bonus in the rollout's reward."""
        return weight_of(task.config, self.reward)

    def use(self, source: Source) -> None:
        """Take the source from the program, for `entropy.source = "live"`; before `serving()`."""
        self._live = source

    async def start(self) -> None:
        source = make_source(self.bonus_config.entropy, live=self._live)
        if source is not None:
            self.meter = Meter(await source.__aenter__(), self.config.group, self.key)

    async def stop(self) -> None:
        if self.meter is not None:
            await self.meter.source.__aexit__(None, None, None)
            self.meter = None
        for line in self.report.lines():
            logger.info("played now: %s", line)

    async def setup(self, agents: vf.Agents) -> None:
        """Ask the policy's server for token ids; the train client brings them by itself."""
        if self.meter is not None:
            self.ask_for_token_ids(agents)

    def played(self, task: AnyTask) -> AnyTask:
        return task if self.meter is None else self.metered(task, self.meter)

    async def finalize(self, task: AnyTask, episode: vf.Episode[Any, Any]) -> None:
        """Compare the siblings, and pay them. One that failed has no part in it."""
        if self.meter is None:
            return
        done = [trace for trace in episode.traces if trace.ok]
        self.meter.set_siblings(done, self.verdict)
        for trace in done:
            self.pay(task, trace)

    def pay(self, task: AnyTask, trace: AnyTrace) -> None:
        """Record the bonus of a rollout whose siblings are known."""
        right = self.verdict(trace)
        if right is None:
            return
        paid = bonus_of(Record.of(trace, self.key), right, self.bonus_config)
        if paid is not None:
            trace.record_reward(self.reward, paid, self.weight(task))

    async def run_slot(self, slot: RunSlot, *args: Any, **kwargs: Any) -> vf.Episode[Any, Any]:
        """Report the episode that is kept: `finalize` also sees those that a retry replaces."""
        episode = await super().run_slot(slot, *args, **kwargs)
        for trace in episode.traces:
            right = trace.info.get(self.key, {}).get("correct")
            if trace.ok and right is not None:
                self.report.add(trace, right)
        return episode


class _Metered:
    """What is put before the class of a foreign task: it measures, and changes nothing else."""

    inward_meter: Meter

    @vf.intercept
    def inward_keep(self, response: vf.Response, trace: vf.Trace) -> None:  # type: ignore[type-arg]
        keep_token_ids(response, trace)

    async def finalize(self, trace: AnyTrace, runtime: vf.Runtime) -> None:
        own = super().finalize  # type: ignore[misc]
        # As verifiers calls it: with what it names, and what it names beside has a default.
        known = {"trace": trace, "runtime": runtime}
        named = inspect.signature(own).parameters
        await own(**{name: value for name, value in known.items() if name in named})
        await self.inward_meter.measure(trace)


def metered(task: AnyTask, meter: Meter) -> AnyTask:
    """A copy of any taskset's task whose rollouts `meter` measures.

    Its class keeps its name, its hooks and its servers.
    """
    return mixed(task, _Metered, inward_meter=meter)
