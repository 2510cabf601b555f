"""The judge `inward-polar`: POLAR's reward, from a reward model that vLLM serves.

    vllm serve internlm/POLAR-7B --task=reward --trust-remote-code --port 30000

    [[env.taskset.task.judges]]
    id = "inward-polar"
    base_url = "http://127.0.0.1:30000"

verifiers finds a judge by the name of a top-level module: hence this one.
"""

from __future__ import annotations

import math
from typing import Any

import verifiers.v1 as vf
from inward_judges import JudgeServer
from pydantic import Field

__all__ = ["PolarJudge", "PolarJudgeConfig"]

REWARD, END = "<|reward|>", "[UNUSED_TOKEN_130]"
"""Between the reference's half and the candidate's, and behind both."""
MAX_TOKENS = 16_384 - 4
MAX_REPLY_TOKENS = 4096
"""Of reference and candidate each, whose last tokens are kept."""


class PolarJudgeConfig(vf.JudgeConfig):
    id: str = "inward-polar"
    model: str = "internlm/POLAR-7B"
    """As the server names it."""
    answer_field: str = "answer"
    """The task's field with the reference: a whole reply rather than a bare answer."""
    unanswered: float = Field(-20.0, allow_inf_nan=False)
    """Reward of an empty reply, for which no model is asked. POLAR-7B's published examples lie
    between -11 and 0.5: 0 would be among the best."""


class PolarJudge(vf.Judge[float, PolarJudgeConfig]):
    """r(prompt, reference, candidate), unbounded, and higher where the candidate is more like what
    the policy behind the reference would have said.

    The candidate is the last reply. Marks of POLAR's template within a text are taken out: a policy
    could else write the candidate's half of another comparison. What is longer than POLAR's own
    client sends keeps its last tokens, by the server's own tokenizer, as there. RuntimeError: the
    server cannot be reached, refuses, or answers no finite number.
    Source: POLAR (arXiv 2507.05197) and its client for vLLM.
    """

    async def score(self, task: vf.TaskData, trace: vf.Trace[Any, Any, Any]) -> float:
        reference = getattr(task, self.config.answer_field, None)
        if not isinstance(reference, str | int | float):
            raise ValueError(
                f"the judge {self.reward_name!r} found no text in the task's field "
                f"{self.config.answer_field!r}: point answer_field at a reference reply"
            )
        candidate = trace.last_reply.strip()
        if not candidate:
            return self.config.unanswered
        async with JudgeServer(self.config, "a reward model") as server:
            texts = [_plain(text) for text in (task.prompt_text, str(reference), candidate)]
            text = template(*await self._cut(server, *texts))
            answer = await server.post("/pooling", {"model": self.config.model, "input": [text]})
            return _reward(server, answer)

    async def _cut(
        self, server: JudgeServer, prompt: str, reference: str, candidate: str
    ) -> tuple[str, str, str]:
        """A token has at least one byte, so that short texts need no counting."""
        room = (MAX_TOKENS - 2 * MAX_REPLY_TOKENS) // 2
        if max(_bytes(reference), _bytes(candidate)) > MAX_REPLY_TOKENS:
            reference, _ = await self._last(server, reference, MAX_REPLY_TOKENS)
            candidate, _ = await self._last(server, candidate, MAX_REPLY_TOKENS)
        if _bytes(prompt) <= room:
            return prompt, reference, candidate
        used = [(await self._last(server, text, MAX_TOKENS))[1] for text in (reference, candidate)]
        prompt, _ = await self._last(server, prompt, (MAX_TOKENS - sum(used)) // 2)
        return prompt, reference, candidate

    async def _last(self, server: JudgeServer, text: str, most: int) -> tuple[str, int]:
        """(the text's last `most` tokens, how many those are)"""
        model = self.config.model
        counted = await server.post("/tokenize", {"model": model, "prompt": text})
        tokens = counted.get("tokens")
        if not isinstance(tokens, list):
            raise server.fault("/tokenize", f"it answered no tokens: {str(counted)[:200]}")
        if len(tokens) <= most:
            return text, len(tokens)
        body = {"model": model, "tokens": tokens[-most:]}
        cut = (await server.post("/detokenize", body)).get("prompt")
        if not isinstance(cut, str):
            raise server.fault("/detokenize", "it answered no text")
        return _plain(cut), most


def template(prompt: str, reference: str, candidate: str) -> str:
    """As POLAR's client writes it: each half begins with the prompt."""
    return f"{prompt}\n{reference}{REWARD}{prompt}\n{candidate}{END}"


def _reward(server: JudgeServer, answer: dict[str, Any]) -> float:
    """vLLM pools each token, and the last one's number is the reward."""
    try:
        last = answer["data"][0]["data"][-1]
        reward = float(last[0] if isinstance(last, list) else last)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise server.fault("/pooling", f"it answered no reward: {str(answer)[:200]}") from error
    if not math.isfinite(reward):
        raise server.fault("/pooling", f"its reward is {reward!r}")
    return reward


def _plain(text: str) -> str:
    """Without the template's marks, however they are nested."""
    while REWARD in text or END in text:
        text = text.replace(REWARD, "").replace(END, "")
    return text


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
