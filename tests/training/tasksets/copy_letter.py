"""Say the letter: a task that a hundred thousand random weights can learn."""

from collections.abc import Iterable

import verifiers.v1 as vf
from inward_chat import LocalEnv, LocalEnvConfig, local_agent

__all__ = ["CopyLetterEnv", "CopyLetterTaskset"]

LETTERS = "abcdefgh"
TAKEN = 2**30
"""Bytes that scoring takes where the letter is `memory`."""


class CopyLetterEnvConfig(LocalEnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=1)


class CopyLetterEnv(LocalEnv, vf.Env[CopyLetterEnvConfig]): ...


class CopyLetterData(vf.TaskData):
    letter: str


class CopyLetterTask(vf.Task[CopyLetterData]):
    @vf.reward
    async def right(self, trace: vf.Trace) -> float:
        if "fault" in trace.last_reply:
            raise RuntimeError("the scoring service is down: start it")
        if "nan" in trace.last_reply:
            return float("nan")
        if self.data.letter == "memory":
            return float(len(bytearray(b"x") * TAKEN))
        return float(trace.last_reply.startswith(self.data.letter))

    @vf.metric
    async def length(self, trace: vf.Trace) -> float:
        return float(len(trace.last_reply))


class CopyLetterTaskset(vf.Taskset[CopyLetterTask, vf.TasksetConfig]):
    def load(self) -> Iterable[CopyLetterTask]:
        for index, letter in enumerate(LETTERS):
            data = CopyLetterData(idx=index, prompt=f"Say {letter}", letter=letter)
            yield CopyLetterTask(data, self.config.task)
