"""The judge `inward-polar`: POLAR's reward, from a reward model that vLLM serves.

    vllm serve internlm/POLAR-7B --task=reward --trust-remote-code --port 30000

    [[env.taskset.task.judges]]
    id = "inward-polar"
    base_url = "http://127.0.0.1:30000"

verifiers finds a judge by the name of a top-level module: hence this one.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

import httpx
import verifiers.v1 as vf
from pydantic import Field
from verifiers.v1.configs.client import resolve_api_key, resolve_headers

__all__ = ["PolarJudge", "PolarJudgeConfig"]

REWARD, END = "<|reward|>", "[UNUSED_TOKEN_130]"
"""Between the reference's half and the candidate's, and behind both."""
MAX_TOKENS = 16_384 - 4
MAX_REPLY_TOKENS = 4096
"""Of reference and candidate each, whose last tokens are kept."""
ATTEMPTS = 3
TIMEOUT_S = 120.0
AGAIN = {429, 502, 503, 504}


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
        async with httpx.AsyncClient(timeout=TIMEOUT_S, headers=self._headers()) as client:
            texts = [_plain(text) for text in (task.prompt_text, str(reference), candidate)]
            text = template(*await self._cut(client, *texts))
            answer = await self._post(
                client, "/pooling", {"model": self.config.model, "input": [text]}
            )
        return self._reward(answer)

    async def _cut(
        self, client: httpx.AsyncClient, prompt: str, reference: str, candidate: str
    ) -> tuple[str, str, str]:
        """A token has at least one byte, so that short texts need no counting."""
        room = (MAX_TOKENS - 2 * MAX_REPLY_TOKENS) // 2
        if max(_bytes(reference), _bytes(candidate)) > MAX_REPLY_TOKENS:
            reference, _ = await self._last(client, reference, MAX_REPLY_TOKENS)
            candidate, _ = await self._last(client, candidate, MAX_REPLY_TOKENS)
        if _bytes(prompt) <= room:
            return prompt, reference, candidate
        used = [(await self._last(client, text, MAX_TOKENS))[1] for text in (reference, candidate)]
        prompt, _ = await self._last(client, prompt, (MAX_TOKENS - sum(used)) // 2)
        return prompt, reference, candidate

    async def _last(self, client: httpx.AsyncClient, text: str, most: int) -> tuple[str, int]:
        """(the text's last `most` tokens, how many those are)"""
        model = self.config.model
        counted = await self._post(client, "/tokenize", {"model": model, "prompt": text})
        tokens = counted.get("tokens")
        if not isinstance(tokens, list):
            raise self._fault("/tokenize", f"it answered no tokens: {str(counted)[:200]}")
        if len(tokens) <= most:
            return text, len(tokens)
        body = {"model": model, "tokens": tokens[-most:]}
        cut = (await self._post(client, "/detokenize", body)).get("prompt")
        if not isinstance(cut, str):
            raise self._fault("/detokenize", "it answered no text")
        return _plain(cut), most

    def _reward(self, answer: dict[str, Any]) -> float:
        """vLLM pools each token, and the last one's number is the reward."""
        try:
            last = answer["data"][0]["data"][-1]
            reward = float(last[0] if isinstance(last, list) else last)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._fault("/pooling", f"it answered no reward: {str(answer)[:200]}") from error
        if not math.isfinite(reward):
            raise self._fault("/pooling", f"its reward is {reward!r}")
        return reward

    async def _post(
        self, client: httpx.AsyncClient, path: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        url, said = self.config.base_url.rstrip("/").removesuffix("/v1") + path, ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(0.2 * 2**attempt)
            try:
                response = await client.post(url, json=body)
            except httpx.TransportError as error:
                said = f"{type(error).__name__}: {error}"
                continue
            said = f"HTTP {response.status_code}: {response.text[:200]}"
            if response.status_code in AGAIN:
                continue
            if response.status_code != 200:
                break
            try:
                answer = response.json()
            except ValueError:
                break
            if isinstance(answer, dict):
                return answer
            break
        raise self._fault(path, said)

    def _fault(self, path: str, said: str) -> RuntimeError:
        return RuntimeError(
            f"no reward from {self.config.base_url}{path} ({said}): is {self.config.model!r} "
            "served there as a reward model, and is the judge's base_url right?"
        )

    def _headers(self) -> dict[str, str]:
        key = resolve_api_key(self.config)
        return {"Authorization": f"Bearer {key}", **resolve_headers(self.config)}


def template(prompt: str, reference: str, candidate: str) -> str:
    """As POLAR's client writes it: each half begins with the prompt."""
    return f"{prompt}\n{reference}{REWARD}{prompt}\n{candidate}{END}"


def _plain(text: str) -> str:
    """Without the template's marks, however they are nested."""
    while REWARD in text or END in text:
        text = text.replace(REWARD, "").replace(END, "")
    return text


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
