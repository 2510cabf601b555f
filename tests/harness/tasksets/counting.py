"""Tasks whose tools write the rollout's State, and their environment in two lines."""

from collections.abc import Iterable

import verifiers.v1 as vf
from counting_tools import CountingState, CountingTools
from inward_chat import LocalEnv, LocalEnvConfig, local_agent

__all__ = ["CountingEnv", "CountingTaskset"]


class CountingEnvConfig(LocalEnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=3)


class CountingEnv(LocalEnv, vf.Env[CountingEnvConfig]): ...


class CountingTask(vf.Task[vf.TaskData, CountingState]):
    async def setup(self, trace: vf.Trace) -> None:
        trace.state.name = self.data.name

    @vf.metric
    async def noted(self, trace: vf.Trace) -> float:
        return float(len(trace.state.words))


class CountingTaskset(vf.Taskset[CountingTask, vf.TasksetConfig]):
    @classmethod
    def toolsets(cls, config: vf.TasksetConfig) -> list[vf.Toolset]:
        return [CountingTools(vf.SharedToolsetConfig())]

    def load(self) -> Iterable[CountingTask]:
        for index in range(12):
            data = vf.TaskData(idx=index, name=f"rollout {index}", prompt="Note the words.")
            yield CountingTask(data, self.config.task)
