"""A whole environment: sums of two numbers, scored by the maths verifier."""

import random
from collections.abc import Iterable

import verifiers.v1 as vf
from inward_chat import LocalEnv, LocalEnvConfig, local_agent
from inward_rewards.formats import last_reply
from inward_rewards.maths import verify

__all__ = ["AdditionEnv", "AdditionTaskset"]

PROMPT = "What is {a} + {b}? Give the number alone in \\boxed{{}}."


class AdditionData(vf.TaskData):
    answer: str


class AdditionConfig(vf.TasksetConfig):
    tasks: int = 100
    """How many sums."""
    seed: int = 0


class AdditionEnvConfig(LocalEnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=1)


class AdditionEnv(LocalEnv, vf.Env[AdditionEnvConfig]): ...


class AdditionTask(vf.Task[AdditionData]):
    @vf.reward
    async def correct(self, trace: vf.Trace) -> float:
        """1 where the last box holds the sum, else 0."""
        reply = last_reply(trace.assistant_messages)
        answer = reply.answer_or_box if reply else None
        return 0.0 if answer is None else float((await verify(self.data.answer, answer)).correct)


class AdditionTaskset(vf.Taskset[AdditionTask, AdditionConfig]):
    def load(self) -> Iterable[AdditionTask]:
        rng = random.Random(self.config.seed)
        for index in range(self.config.tasks):
            a, b = rng.randint(10, 99), rng.randint(10, 99)
            data = AdditionData(idx=index, prompt=PROMPT.format(a=a, b=b), answer=str(a + b))
            yield AdditionTask(data, self.config.task)
