"""One task a chart: describe it, and be paid for what is drawn from the words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import verifiers.v1 as vf
from inward_charts import KINDS
from inward_charts.tasks import (
    ChartData,
    ChartPicture,
    ChartsConfig,
    ChartTask,
    Outcome,
    RevisingEnv,
    RevisingEnvConfig,
    pictures,
    record,
    weighted,
)
from inward_chat import ExistingFolder
from inward_rewards.charts import RenderError, Score, shared_renderer
from inward_rewards.images import PlainConfig, PlainRedraw
from inward_rewards.sandbox import set_workers
from pydantic import Field, field_validator, model_validator

from chart_reconstruction.charxiv import Split, charxiv_pictures
from chart_reconstruction.prompt import (
    ASK,
    PLAIN,
    REFUSED,
    REVISE_RULE,
    REVISED,
    Similarity,
    description,
    system_prompt,
)
from chart_reconstruction.stating import stated

VALID = 0.9
"""What the truth in prose must score at least."""


class ChartReconstructionTaskConfig(vf.TaskConfig):
    redraw: PlainConfig = PlainConfig()
    """What draws a description."""
    similarity: Similarity = Similarity()
    max_characters: int = Field(6000, ge=1, le=20_000)
    """Of a reply that are read."""


class ChartReconstructionConfig(ChartsConfig):
    legacy_charxiv: ExistingFolder | None = None
    """A folder with CharXiv's pictures (`<figure id>.jpg`), divided as the source divided them."""
    split: Split = "eval"
    """Of CharXiv: `train` has 75 figures, `eval` 25."""
    task: ChartReconstructionTaskConfig = ChartReconstructionTaskConfig()

    @field_validator("kinds")
    @classmethod
    def _kinds_with_words(cls, kinds: list[str]) -> list[str]:
        """`plain` has no words for the kinds of papers."""
        if not set(kinds) <= set(KINDS):
            raise ValueError(f"kinds {kinds!r}: choose from {', '.join(KINDS)}")
        return kinds

    @model_validator(mode="after")
    def _one_source(self) -> ChartReconstructionConfig:
        if self.path is not None and self.legacy_charxiv is not None:
            raise ValueError("path and legacy_charxiv are both set: name one source of pictures")
        given = self.path is not None or self.legacy_charxiv is not None
        if given and self.task.similarity.type == "table":
            raise ValueError(
                "similarity.type 'table' needs charts whose table is known: leave path and "
                "legacy_charxiv unset, or set similarity.type to 'chart'"
            )
        return self


@dataclass(frozen=True)
class Described(Outcome):
    metrics: dict[str, float]
    """Of the description."""


class ChartReconstructionTask(
    ChartTask, vf.Task[ChartData, vf.State, ChartReconstructionTaskConfig]
):
    refused, revised, revise_rule = REFUSED, REVISED, REVISE_RULE

    async def outcome(self, reply: str) -> Described:
        picture, truth = self.data.picture, await self.true_scene()
        read = description(reply, self.config.max_characters)
        redrawn = await PlainRedraw()(read.text)
        metrics = {
            "characters": float(len(reply)),
            "cut_characters": float(read.cut),
            "code_characters": float(read.code),
            **redrawn.metrics,
        }
        if redrawn.spec is None:
            return Described(0.0, None, None, redrawn.reason, metrics)
        try:
            drawn, score = await shared_renderer().score(redrawn.spec, picture, truth)
        except RenderError as error:
            return Described(0.0, None, None, str(error), metrics)
        return Described(self._reward(score), score, drawn, None, metrics)

    def _reward(self, score: Score) -> float:
        similarity = self.config.similarity
        # Numbers in marks of another kind are another chart.
        table = None if score.table is None else score.table if score.marks else 0.0
        if similarity.type == "table":
            return weighted([(1.0, table)])
        weights = similarity.weights
        return weighted(
            [
                (weights.likeness, score.similarity),
                (weights.table, table),
                (weights.text, score.text),
            ]
        )

    @vf.reward
    async def likeness(self, trace: vf.Trace[Any, Any, Any]) -> float:
        """The reward of the last reply from which something is drawn; its parts are metrics."""
        outcomes = await self.outcomes(trace)
        final = record(trace, outcomes, known=self.data.truth is not None)
        assert isinstance(final, Described)
        trace.record_metrics(final.metrics)
        trace.info["chart"] |= {
            "redraw": self.config.redraw.type,
            "max_characters": self.config.max_characters,
        }
        return final.reward

    async def validate(self, runtime: vf.Runtime) -> bool | None:
        """Whether the truth in prose scores 0.9; its table, where the picture is another
        renderer's, or worn."""
        if self.data.truth is None:
            return None
        outcome = await self.outcome(stated(self.data.truth))
        if self.data.drawn_by == "vega-lite" and self.data.noise == "none":
            return outcome.reward >= VALID
        return outcome.score is not None and (outcome.score.table or 0.0) >= VALID


class ChartReconstructionTaskset(vf.Taskset[ChartReconstructionTask, ChartReconstructionConfig]):
    INFINITE = True

    def __init__(self, config: ChartReconstructionConfig) -> None:
        super().__init__(config)
        if config.sandbox_workers is not None:
            set_workers(config.sandbox_workers)
        self.INFINITE = config.path is None and config.legacy_charxiv is None

    def load(self) -> Iterable[ChartReconstructionTask]:
        folder = self.config.legacy_charxiv
        charxiv = charxiv_pictures(folder, self.config.split) if folder is not None else None
        return map(self.task_of, pictures(self.config, charxiv))

    def task_of(self, picture: ChartPicture) -> ChartReconstructionTask:
        """The task that shows `picture`."""
        task, known = self.config.task, picture.truth is not None
        prompt = system_prompt(task.similarity, task.max_characters, PLAIN, known=known)
        data = ChartData.of(picture, system_prompt=prompt, ask=ASK)
        return ChartReconstructionTask(data, task)


class ChartReconstructionEnv(RevisingEnv, vf.Env[RevisingEnvConfig]):
    """One rollout per chart, in process: one reply, or as many more as `revise` says."""
