"""CharXiv: one task per question, the figure at full resolution, the benchmark's instructions."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterable
from typing import Any

import verifiers.v1 as vf
from inward_chat import ExistingFile, ExistingFolder, LocalEnv, LocalEnvConfig, local_agent
from inward_chat.downloads import DataError
from pydantic import Field

from charxiv.data import Kind, load
from charxiv.grading import grade, rubric
from charxiv.judge import CharxivJudge, JudgeConfig

LOWER_BOUND = "exact_lower_bound"
"""The reward's name without a judge: texts that mean the same in other words count as wrong."""


class CharxivTaskConfig(vf.TaskConfig):
    judge: JudgeConfig | None = None
    """Of texts that are not equal to the gold answer: `--env.taskset.task.judge.model` and
    `.base-url`. Without it the reward is a lower bound, and is called so."""


class CharxivConfig(vf.TasksetConfig):
    path: ExistingFolder | None = None
    """A folder with `images/` and, where there is no network, the benchmark's reasoning_val.json,
    descriptive_val.json and constants.py; or a folder of ReachQA with its `qa.json`."""
    questions: list[Kind] = Field(["reasoning"], min_length=1)
    seed: int = 0
    """Of the order: the first `-n` questions are a sample of all."""
    corrections: ExistingFile | None = None
    """JSON, question id -> gold answer: graded beside the published one, as `corrected`."""
    task: CharxivTaskConfig = CharxivTaskConfig()


class CharxivData(vf.TaskData):
    figure: str
    kind: Kind
    number: int
    """Category of a reasoning question (1-4), template of a descriptive one (1-19)."""
    question: str
    gold: str
    """Scoring alone reads it, and `corrected`: no prompt does."""
    grading: str
    """The benchmark's prompt for its judge; empty where it has none."""
    corrected: str | None = None


class CharxivTask(vf.Task[CharxivData, vf.State, CharxivTaskConfig]):
    @vf.metric
    async def graded(self, trace: vf.Trace[Any, Any, Any]) -> dict[str, float]:
        """Metrics run before rewards: the verdict stands ready for it."""
        verdict, asked = await self._verdict(trace, self.data.gold)
        trace.info["correct"] = verdict
        found = {"judged": float(asked), "answered": float(bool(trace.last_reply))}
        corrected = self.data.corrected
        if corrected is not None:
            same = corrected == self.data.gold
            found["corrected"] = verdict if same else (await self._verdict(trace, corrected))[0]
        return found

    @vf.reward
    async def correct(self, trace: vf.Trace[Any, Any, Any]) -> dict[str, float]:
        judge = self.config.judge
        name = LOWER_BOUND if judge is None else f"correct_by_{judge.model}"
        return {name: trace.info["correct"]}

    async def _verdict(self, trace: vf.Trace[Any, Any, Any], gold: str) -> tuple[float, bool]:
        """1 or 0, and whether a judge said so."""
        data, reply = self.data, trace.last_reply
        verdict = grade(rubric(data.kind, data.number), reply, gold)
        if verdict != "unsure" or self.config.judge is None:
            return float(verdict == "right"), False
        judge = CharxivJudge(self.config.judge)
        response = await judge.evaluate(
            trace=trace, question=data.question, gold=gold, reply=reply, grading=data.grading
        )
        return float(bool(response.parsed)), True

    async def validate(self, runtime: vf.Runtime) -> bool | None:
        """Whether the gold answer itself is graded as right."""
        rule = rubric(self.data.kind, self.data.number)
        return grade(rule, f"Answer: {self.data.gold}", self.data.gold) == "right"


class CharxivTaskset(vf.Taskset[CharxivTask, CharxivConfig]):
    def load(self) -> Iterable[CharxivTask]:
        config = self.config
        found = load(config.path, tuple(config.questions))
        corrected = _corrections(config, {question.id for question in found.questions})
        questions = list(found.questions)
        random.Random(config.seed).shuffle(questions)
        for question in questions:
            data = CharxivData(
                id=question.id,
                prompt=[_asked(question.prompt, found.picture(question.figure))],
                figure=question.figure,
                kind=question.kind,
                number=question.number,
                question=question.text,
                gold=question.gold,
                grading=question.grading,
                corrected=corrected.get(question.id, question.gold) if corrected else None,
            )
            yield CharxivTask(data, config.task)


def _corrections(config: CharxivConfig, known: set[str]) -> dict[str, str]:
    if config.corrections is None:
        return {}
    file = str(config.corrections)
    try:
        found = json.loads(config.corrections.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{file!r} is no JSON: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise DataError(f"{file!r} must be an object, question id -> gold answer, all texts")
    if strange := sorted(set(found) - known):
        raise DataError(f"{file!r} corrects {strange[0]!r}, which is no question of this run")
    return found


def _asked(prompt: str, picture: bytes) -> vf.UserMessage:
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    url = f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
    return vf.UserMessage(
        content=[
            vf.ImageUrlContentPart(image_url=vf.ImageUrlSource(url=url)),
            vf.TextContentPart(text=prompt),
        ]
    )


class CharxivEnvConfig(LocalEnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=1)


class CharxivEnv(LocalEnv, vf.Env[CharxivEnvConfig]):
    """One rollout per question, in process: one reply."""
