"""The judge `inward-huatuo`: HuatuoGPT-o1's reward, for any taskset with a reference answer.

    [[env.taskset.task.judges]]
    id = "inward-huatuo"
    model = "MODEL"
    base_url = "URL"

verifiers finds a judge by the name of a top-level module: hence this one.
"""

from __future__ import annotations

from typing import Any

import verifiers.v1 as vf
from inward_rewards.formats import last_reply
from inward_rewards.signals import huatuo

__all__ = ["HuatuoJudge", "HuatuoJudgeConfig"]

VERDICTS = ("yes", "no")
MAX_CHARS = 8000
"""Of an answer that is shown to the judge; a longer one is wrong unseen."""


class HuatuoJudgeConfig(vf.JudgeConfig):
    id: str = "inward-huatuo"
    answer_field: str = "answer"
    """The task's field with the reference answer."""


class HuatuoJudge(vf.Judge[bool, HuatuoJudgeConfig]):
    """1 for an answer that the judge finds right, 0.1 for a wrong one, 0 without thinking before.

    Thinking is `<think>…</think>`, or what the server has split off. Without thinking, or without
    an answer behind it, the judge is not asked, and it never sees the thinking. A judge that cannot
    be reached, or that gives no verdict, raises. The prompt is verifiers' own for a reference.
    Source: HuatuoGPT-o1 (arXiv 2412.18925).
    """

    prompt = vf.ReferenceJudge.prompt

    def parse(self, response: vf.JudgeResponse[bool]) -> bool:
        verdict = vf.parse_judge_choice(response.text, VERDICTS)
        if verdict is None:
            raise ValueError(f"the judge said neither yes nor no: {response.text!r}")
        return verdict == VERDICTS[0]

    async def score(self, task: vf.TaskData, trace: vf.Trace[Any, Any, Any]) -> float:
        field = self.config.answer_field
        answer = getattr(task, field, None)
        if answer is None:
            raise ValueError(
                f"the judge {self.reward_name!r} found no {field!r} field on the task: point "
                "answer_field at the field of its reference answer"
            )
        reply = last_reply(trace.assistant_messages)
        if reply is None or not (reply.thinking or "").strip() or not reply.body.strip():
            return huatuo(right=False, reasoned=False)
        if len(reply.body) > MAX_CHARS:
            return huatuo(right=False, reasoned=True)
        verdict = await self.evaluate(
            trace=trace,
            question=task.prompt_text,
            answer="\n".join(map(str, answer)) if isinstance(answer, list | tuple) else answer,
            response=reply.body.strip(),
            positive=VERDICTS[0],
            negative=VERDICTS[1],
        )
        return huatuo(right=bool(verdict.parsed), reasoned=True)
