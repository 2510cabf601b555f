"""`copy-letter`, with its reward under the name that `examples/learn.py` reads."""

from collections.abc import Iterable

import verifiers.v1 as vf
from copy_letter import LETTERS, CopyLetterData, CopyLetterEnv

__all__ = ["CopyLetterEnv", "SayLetterTaskset"]


class SayLetterTask(vf.Task[CopyLetterData]):
    @vf.reward
    async def correct(self, trace: vf.Trace) -> float:
        return float(trace.last_reply.startswith(self.data.letter))

    @vf.metric
    async def well_formed(self, trace: vf.Trace) -> float:
        return float(len(trace.last_reply) == 1)


class SayLetterTaskset(vf.Taskset[SayLetterTask, vf.TasksetConfig]):
    def load(self) -> Iterable[SayLetterTask]:
        for index, letter in enumerate(LETTERS):
            data = CopyLetterData(idx=index, prompt=f"Say {letter}", letter=letter)
            yield SayLetterTask(data, self.config.task)
