"""A taskset without rows worth playing: the tests make the tasks."""

from collections.abc import Iterable

import verifiers.v1 as vf
from probe_tools import ProbeTools

__all__ = ["ProbeTaskset"]


class ProbeTask(vf.Task[vf.TaskData, vf.State]):
    @vf.reward
    async def said_done(self, trace: vf.Trace) -> float:
        return float("done" in trace.last_reply)


class GatedTask(ProbeTask):
    """Its policy answers one call itself and rewrites another's result."""

    @vf.intercept
    async def police(self, request: vf.Request) -> vf.Request | None:
        last = request.messages[-1]
        if not isinstance(last, vf.ToolMessage):
            return None
        if last.name == "probe_explode":
            last.content = "not allowed"
        elif last.content:
            last.content = "rewritten"
        return request


class StoppedTask(ProbeTask):
    """Its policy ends the rollout at a call of a certain tool."""

    @vf.stop
    async def no_explosions(self, request: vf.Request) -> bool:
        last = request.messages[-1]
        return isinstance(last, vf.ToolMessage) and last.name == "probe_explode"


class ProbeConfig(vf.TasksetConfig):
    tools: bool = False


class ProbeTaskset(vf.Taskset[ProbeTask, ProbeConfig]):
    @classmethod
    def toolsets(cls, config: ProbeConfig) -> list[vf.Toolset]:
        return [ProbeTools(vf.SharedToolsetConfig())] if config.tools else []

    def load(self) -> Iterable[ProbeTask]:
        return [ProbeTask(vf.TaskData(idx=0, prompt="Say done."), self.config.task)]
