"""A taskset that is not ours, whose right reply ends in yes, and a policy that is mostly right."""

from __future__ import annotations

import random

TASKSET = """
import verifiers.v1 as vf

__all__ = ["YesTaskset"]


class YesTask(vf.Task[vf.TaskData]):
    @vf.reward
    async def said_yes(self, trace) -> float:
        return float(trace.last_reply.endswith("yes"))


class YesTaskset(vf.Taskset[YesTask]):
    def load(self):
        prompts = [f"{n}: yes or no?" for n in range(2)]
        return [YesTask(vf.TaskData(prompt=prompt), self.config.task) for prompt in prompts]
"""
WORDS = "so the sum of x and y is 12 then 24 square roots let us factor it again".split()


def student():
    draw = random.Random(0)

    def reply(prompt: str) -> str:
        thought = " ".join(draw.choices(WORDS, k=draw.randint(5, 40)))
        return f"<think>{thought}</think> I say {'yes' if draw.random() < 0.7 else 'no'}"

    return reply
