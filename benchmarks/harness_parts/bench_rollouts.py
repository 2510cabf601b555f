"""Tasks and seats of `benchmarks/harness.py`."""

from collections.abc import Iterable
from typing import Any, Literal

import verifiers.v1 as vf
from bench_tools import BenchTools, StoryState
from bench_tools_bundled import BundledTools
from inward_chat import local_agent

__all__ = ["BenchTaskset"]

TURNS = 5


class BenchData(vf.TaskData):
    seat: str
    story: int


class BenchTask(vf.Task[BenchData, StoryState]):
    async def setup(self, trace: vf.Trace[Any, Any, Any]) -> None:
        trace.state.story = self.data.story

    @vf.reward
    async def played(self, trace: vf.Trace[Any, Any, Any]) -> float:
        """1 if the rollout took its turns and read its own story each time."""
        results = [m.content for m in trace.messages if m.role == "tool"]
        right = [r for r in results if f"[0] story {self.data.story} " in str(r)]
        return float(trace.num_turns == TURNS and len(results) == len(right) == TURNS - 1)


class BenchTasksetConfig(vf.TasksetConfig):
    server: Literal["inward", "bundled"] = "inward"


class BenchTaskset(vf.Taskset[BenchTask, BenchTasksetConfig]):
    @classmethod
    def toolsets(cls, config: BenchTasksetConfig) -> list[vf.Toolset[Any, Any]]:
        kind = BenchTools if config.server == "inward" else BundledTools
        return [kind(vf.SharedToolsetConfig())]

    def load(self) -> Iterable[BenchTask]:
        return []


def seat(harness: str) -> vf.AgentConfig:
    return vf.AgentConfig(harness={"id": harness}, runtime=vf.SubprocessConfig())


class BenchConfig(vf.EnvConfig):
    inward: vf.AgentConfig = local_agent()
    null: vf.AgentConfig = seat("null")
    calls: vf.AgentConfig = seat("bench_calls")
    sdk_calls: vf.AgentConfig = seat("bench_sdk_calls")


class BenchEnv(vf.Env[BenchConfig]):
    async def run(self, task: vf.Task[Any, Any], agents: vf.Agents) -> None:
        await getattr(agents, task.data.seat).run(task)
