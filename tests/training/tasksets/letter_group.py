"""An environment that plays a whole group in each episode, and compares its rollouts itself."""

import asyncio

import verifiers.v1 as vf
from inward_chat import local_agent

__all__ = ["LetterGroupEnv"]


class LetterGroupConfig(vf.EnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=1)
    max_concurrent_agents: int | None = 8
    group: int = 3


class LetterGroupEnv(vf.Env[LetterGroupConfig]):
    async def run(self, task: vf.Task, agents: vf.Agents) -> None:
        await asyncio.gather(*(agents.agent.run(task) for _ in range(self.config.group)))

    async def finalize(self, task: vf.Task, episode: vf.Episode) -> None:
        for place, trace in enumerate(episode.traces):
            trace.record_reward("place", float(place))
