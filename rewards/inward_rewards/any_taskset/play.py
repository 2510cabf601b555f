"""Several rollouts of one task in an episode, and tasks of any taskset that do a little more."""

from __future__ import annotations

import asyncio
import dataclasses
from functools import cache
from typing import Any

import verifiers.v1 as vf
from pydantic import Field

from inward_rewards.hidden_states import ASK, keep_token_ids

AnyTask = vf.Task[Any, Any, Any]
INDEX = "sibling"
"""In `trace.info`: which rollout of its group it is, by the order of their starts."""


class GroupEnvConfig(vf.SingleAgentEnvConfig):
    group: int = Field(1, ge=1)
    """Rollouts per episode, which are compared. A trainer that forms groups of its own takes an
    episode as a group: its group size is 1."""
    max_concurrent_agents: int | None = Field(None, ge=1)
    """How many rollouts of one episode are played at once; all by default."""


class GroupEnv(vf.SingleAgentEnv):
    """Plays `group` rollouts per episode; what it makes of them is a subclass's."""

    config: Any

    def played(self, task: AnyTask) -> AnyTask:
        """The task as it is played."""
        return task

    async def run(self, task: AnyTask, agents: vf.Agents) -> None:
        played = self.played(task)

        async def play(index: int) -> None:
            trace = await agents.agent.run(played)
            trace.info[INDEX] = index

        async with asyncio.TaskGroup() as rollouts:
            for index in range(self.config.group):
                rollouts.create_task(play(index))

    def ask_for_token_ids(self, agents: vf.Agents) -> None:
        """Of the policy's server; the train client brings them by itself."""
        agent = agents.agent
        if not isinstance(agent.ctx.client, vf.TrainClientConfig):
            sampling = agent.ctx.sampling.model_copy(update=ASK)
            agent.ctx = dataclasses.replace(agent.ctx, sampling=sampling)


class _Keeping:
    """What is put before the class of a foreign task: it keeps token ids, and changes nothing."""

    @vf.intercept
    def inward_keep(self, response: vf.Response, trace: vf.Trace) -> None:  # type: ignore[type-arg]
        keep_token_ids(response, trace)


def keeping_token_ids(task: AnyTask) -> AnyTask:
    """A copy of any taskset's task whose traces keep the token ids of each reply."""
    return mixed(task, _Keeping)


def mixed(task: AnyTask, mixin: type, **attributes: Any) -> AnyTask:
    """A copy of a task with `mixin` before its class, which keeps its name, hooks and servers."""
    task_class = _mixed_class(type(task), mixin)  # type: ignore[arg-type]
    clone = task_class.__new__(task_class)
    vars(clone).update(vars(task), **attributes)
    return clone


@cache
def _mixed_class(task_class: type[AnyTask], mixin: type) -> type[AnyTask]:
    names = {"__module__": task_class.__module__, "__qualname__": task_class.__qualname__}
    return type(task_class.__name__, (mixin, task_class), names)
