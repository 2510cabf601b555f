"""The environment owns two things that a single rollout cannot: the source and the group.

`--env.group N` plays N attempts an episode and compares their entropies when all have ended.
Trainers that form groups of their own then take an episode as a group: their group size is 1.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from typing import Any, cast

import verifiers.v1 as vf
from inward_chat import LocalEnv, LocalEnvConfig, local_agent
from inward_rewards.hidden_states import EntropyConfig, Source, make_source
from inward_rewards.hidden_states.token_ids import ASK
from pydantic import Field
from verifiers.v1.env import RunSlot

from math500_entropy.report import Row, describe, row_of
from math500_entropy.taskset import Math500EntropyTask, as_sibling

# verifiers shows the records of its own loggers only.
logger = logging.getLogger("verifiers.v1.math500_entropy")


class Math500EntropyEnvConfig(LocalEnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=1)
    group: int = Field(1, ge=1)
    """Attempts an episode, whose entropies are compared. 1: the bonus is absolute."""
    max_concurrent_agents: int | None = Field(None, ge=1)
    """How many attempts of one episode are played at once; all by default."""


class Math500EntropyEnv(LocalEnv, vf.Env[Math500EntropyEnvConfig]):
    source: Source | None = None

    @property
    def entropy(self) -> EntropyConfig:
        return cast(EntropyConfig, self.config.taskset.task.entropy)

    async def start(self) -> None:
        self.rows: list[Row | None] = []
        source = make_source(self.entropy)
        if source is not None:
            self.source = await source.__aenter__()

    async def stop(self) -> None:
        if self.source is not None:
            await self.source.__aexit__(None, None, None)
            self.source = None
        for line in describe(self.rows):
            logger.info("played now: %s", line)

    async def setup(self, agents: vf.Agents) -> None:
        """Ask the policy's server for token ids; the train client brings them by itself."""
        agent = agents.agent
        if self.entropy.source == "off" or isinstance(agent.ctx.client, vf.TrainClientConfig):
            return
        sampling = agent.ctx.sampling.model_copy(update=ASK)
        agent.ctx = dataclasses.replace(agent.ctx, sampling=sampling)

    async def run(self, task: vf.Task[Any, Any, Any], agents: vf.Agents) -> None:
        measured = cast(Math500EntropyTask, task).measured_by(self.source, self.config.group)
        async with asyncio.TaskGroup() as attempts:
            for _ in range(self.config.group):
                attempts.create_task(agents.agent.run(measured))

    async def run_slot(self, slot: RunSlot, *args: Any, **kwargs: Any) -> vf.Episode[Any, Any]:
        """Count the episode that is kept: `finalize` also sees attempts that a retry replaces."""
        episode = await super().run_slot(slot, *args, **kwargs)
        self.rows += [row_of(trace) for trace in episode.traces if trace.ok]
        return episode

    async def finalize(self, task: vf.Task[Any, Any, Any], episode: vf.Episode[Any, Any]) -> None:
        """Score the siblings against each other. One that failed has no part in it."""
        scorer = cast(Math500EntropyTask, task)
        done = [trace for trace in episode.traces if trace.ok]
        if self.config.group == 1:
            return
        measured = [(trace, own) for trace in done if (own := as_sibling(trace)) is not None]
        siblings = [own for _, own in measured]
        for index, (trace, _) in enumerate(measured):
            trace.info["entropy"] |= {"siblings": siblings, "index": index}
            for name, bonus in (await scorer.entropy(trace)).items():
                trace.record_reward(name, bonus, scorer.weight(name))
