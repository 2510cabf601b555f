"""One task per problem: think, answer, and be rewarded for the answer, the layout, the entropy."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import verifiers.v1 as vf
from inward_chat import ExistingFile
from inward_rewards.entropy import BonusConfig, BonusTask
from inward_rewards.formats import Layout, format_reward, last_reply, parse_reply
from inward_rewards.maths import verify
from inward_rewards.sandbox import set_workers
from pydantic import Field, model_validator

from math500_entropy.data import DataError, Split, Subject, load_problems
from math500_entropy.prompt import in_layout, system_prompt

Mode = Literal["current", "combined", "entropy_only"]
WITHOUT: dict[Mode, tuple[str, ...]] = {
    "current": ("entropy",),
    "combined": (),
    "entropy_only": ("correct", "format"),
}


class Math500EntropyTaskConfig(BonusConfig, vf.TaskConfig):
    mode: Mode = "combined"
    """`combined`: answer + layout + entropy bonus. `current`: no bonus. `entropy_only`: the bonus
    alone. What a mode leaves out is still recorded, with weight 0."""
    layout: Layout = "tags"
    """What the prompt asks for and the rewards read: `tags`, <think>…</think><answer>…</answer>;
    `boxed`, reasoning and then one \\boxed{…}."""

    @model_validator(mode="after")
    def _something_to_reward(self) -> Self:
        if self.mode == "entropy_only" and self.entropy.source == "off":
            raise ValueError('mode = "entropy_only" has nothing to reward: set entropy.source')
        return self


class Math500EntropyConfig(vf.TasksetConfig):
    split: Split = "test"
    """`test`: MATH-500. `train`: the 12,000 others of MATH. Both are fetched on first use.
    `sample`: 28 problems that ship with the package."""
    path: ExistingFile | None = None
    """A file of the same schema, in place of `split`."""
    levels: list[Annotated[int, Field(ge=1, le=5)]] = Field(default_factory=list)
    """Only these levels, 1 to 5."""
    subjects: list[Subject] = Field(default_factory=list)
    """Only these subjects."""
    worked_example: bool = False
    """The system prompt also shows a problem and a reply to it in the layout: for models that
    would never write the layout by themselves."""
    sandbox_workers: int | None = Field(None, ge=1)
    """Processes that check answers at once, over the whole machine and every environment on it.
    Not set: INWARD_WORKERS, else the usable cores."""
    task: Math500EntropyTaskConfig = Math500EntropyTaskConfig()


MAX_NOTED = 1000
"""Characters of an answer that are kept in the trace, beside why it is right or wrong."""


class Math500Data(vf.TaskData):
    answer: str
    """The gold answer. Scoring alone reads it: no prompt does."""
    subject: Subject
    level: int


class Math500EntropyTask(BonusTask, vf.Task[Math500Data, vf.State, Math500EntropyTaskConfig]):
    """Its third reward, `entropy`, is the `BonusTask`'s."""

    def __init__(self, data: Math500Data, config: Math500EntropyTaskConfig | None = None) -> None:
        super().__init__(data, config)
        self.without(WITHOUT[self.config.mode])

    @vf.metric
    async def verdict(self, trace: vf.Trace[Any, Any, Any]) -> dict[str, float]:
        """Metrics run before rewards: it stands ready for those that read it."""
        reply = last_reply(trace.assistant_messages, self.config.layout)
        verdict = None
        if reply is not None and reply.answer is not None:
            verdict = await verify(self.data.answer, reply.answer, problem=self.data.prompt_text)
        trace.info["correct"] = verdict is not None and verdict.correct
        if reply is not None and reply.answer is not None and verdict is not None:
            trace.info["verdict"] = {"answer": reply.answer[:MAX_NOTED], "reason": verdict.reason}
        return {
            "answered": float(verdict is not None),
            "well_formed": float(reply is not None and reply.well_formed),
            "echoed": float(verdict is not None and verdict.reason == "echoed"),
            "verify_timeout": float(verdict is not None and verdict.verify_timeout),
        }

    @vf.reward
    async def correct(self, trace: vf.Trace[Any, Any, Any]) -> float:
        """1 where the only answer outside the thinking equals the gold answer, and is not copied
        out of the problem."""
        return float(trace.info["correct"])

    @vf.reward
    async def format(self, trace: vf.Trace[Any, Any, Any]) -> float:
        """+0.2 for reasoning and then one answer in the layout, neither blank; else -0.5."""
        reply = last_reply(trace.assistant_messages, self.config.layout)
        return 0.0 if reply is None else format_reward(reply)

    async def validate(self, runtime: vf.Runtime) -> bool:
        """Whether the gold answer, in the layout that the prompt asks for, scores full marks."""
        layout, gold = self.config.layout, self.data.answer
        parsed = parse_reply(in_layout(layout, gold), layout=layout)
        if parsed.answer is None or not parsed.well_formed:
            return False
        return (await verify(gold, parsed.answer, problem=self.data.prompt_text)).correct


class Math500EntropyTaskset(vf.Taskset[Math500EntropyTask, Math500EntropyConfig]):
    def __init__(self, config: Math500EntropyConfig) -> None:
        super().__init__(config)
        if config.sandbox_workers is not None:
            set_workers(config.sandbox_workers)

    def load(self) -> list[Math500EntropyTask]:
        """DataError where the filters leave nothing, and as `load_problems`."""
        config, found = self.config, list(load_problems(self.config.split, self.config.path))
        levels = config.levels or {one.level for one in found}
        subjects = config.subjects or {one.subject for one in found}
        wanted = [one for one in found if one.level in levels and one.subject in subjects]
        if not wanted:
            raise DataError(
                f"no problem of {str(config.path or config.split)!r} passes levels "
                f"{config.levels} and subjects {config.subjects} (empty: all): it has levels "
                f"{sorted({one.level for one in found})} and subjects "
                f"{sorted({one.subject for one in found})}"
            )
        prompt = system_prompt(config.task.layout, config.worked_example)
        return [
            Math500EntropyTask(
                Math500Data(
                    id=one.unique_id,
                    prompt=one.problem,
                    system_prompt=prompt,
                    answer=one.answer,
                    subject=one.subject,
                    level=one.level,
                ),
                config.task,
            )
            for one in wanted
        ]
