"""An environment of your own: say the first letters of some words.

    cd examples/own_environment
    PYTHONPATH=. uv run vf-eval first-letters -m MODEL --client.base-url URL --push false

An id is the name of a module; verifiers finds the taskset, its environment and its harness in
`__all__`. `LocalEnv` and the exported `InwardChat` keep the rollout in this process: without them
verifiers asks for a paid sandbox, or for a harness that executes code.
"""

from collections.abc import Iterable

import verifiers.v1 as vf
from inward_chat import InwardChat, LocalEnv, LocalEnvConfig, local_agent

__all__ = ["FirstLettersEnv", "FirstLettersTaskset", "InwardChat"]

WORDS = ["search finds the evidence", "every bar has its length", "read all of the story"]


class FirstLettersData(vf.TaskData):
    answer: str


class FirstLettersTask(vf.Task[FirstLettersData]):
    @vf.reward
    async def correct(self, trace: vf.Trace) -> float:
        return float(trace.last_reply.strip() == self.data.answer)

    @vf.metric
    async def length(self, trace: vf.Trace) -> float:
        return float(len(trace.last_reply))


class FirstLettersTaskset(vf.Taskset[FirstLettersTask, vf.TasksetConfig]):
    def load(self) -> Iterable[FirstLettersTask]:
        for index, words in enumerate(WORDS):
            prompt = f"Reply with the first letters of these words, and nothing else: {words}"
            answer = "".join(word[0] for word in words.split())
            yield FirstLettersTask(
                FirstLettersData(idx=index, prompt=prompt, answer=answer), self.config.task
            )


class FirstLettersConfig(LocalEnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=1)


class FirstLettersEnv(LocalEnv, vf.Env[FirstLettersConfig]): ...
