"""One task a chart: describe it, and be paid for what is drawn from the words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import verifiers.v1 as vf
from inward_charts import KINDS, shrunk, side_by_side
from inward_charts.tasks import (
    ChartData,
    ChartPicture,
    ChartsConfig,
    Outcome,
    RevisingEnv,
    RevisingEnvConfig,
    picture_message,
    pictures,
    record,
    weighted,
)
from inward_chat import ExistingFolder
from inward_rewards.charts import RenderError, Scene, Score, shared_renderer
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
class Redrawn(Outcome):
    metrics: dict[str, float]
    """Of the description."""


class ChartReconstructionTask(vf.Task[ChartData, vf.State, ChartReconstructionTaskConfig]):
    revise_rule = REVISE_RULE
    _scene: Scene | None = None

    async def outcome(self, reply: str) -> Redrawn:
        """Draws and scores one reply. The model's faults score 0; the machine's raise."""
        truth = await self._true_scene()
        read = description(reply, self.config.max_characters)
        redrawn = await PlainRedraw()(read.text, 0)
        metrics = {
            "characters": float(len(reply)),
            "cut_characters": float(read.cut),
            "code_characters": float(read.code),
            **redrawn.metrics,
        }
        if redrawn.spec is None:
            return Redrawn(0.0, None, None, redrawn.reason, metrics)
        try:
            drawn, score = await shared_renderer().score(redrawn.spec, self.data.picture, truth)
        except RenderError as error:
            return Redrawn(0.0, None, None, str(error), metrics)
        return Redrawn(self._reward(score), score, drawn, None, metrics)

    async def _true_scene(self) -> Scene | None:
        if self._scene is None:
            self._scene = await self.data.true_scene()
        return self._scene

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
        replies = [message.content or "" for message in trace.assistant_messages] or [""]
        outcomes = {reply: await self.outcome(reply) for reply in replies}
        final = record(
            trace, [outcomes[reply] for reply in replies], known=self.data.truth is not None
        )
        assert isinstance(final, Redrawn)
        trace.record_metrics(final.metrics)
        trace.info["chart"]["redraw"] = self.config.redraw.type
        return final.reward

    async def feedback(self, reply: str) -> vf.UserMessage:
        """What the policy sees before it describes the chart again."""
        outcome = await self.outcome(reply)
        if outcome.drawn is None:
            return vf.UserMessage(content=REFUSED.format(error=outcome.error))
        both = side_by_side(self.data.picture, shrunk(outcome.drawn.png))
        return picture_message(both, REVISED)

    async def validate(self, runtime: vf.Runtime) -> bool | None:
        """Whether the truth in prose scores 0.9."""
        if self.data.truth is None:
            return None
        outcome = await self.outcome(stated(self.data.truth))
        return outcome.reward >= VALID or self.data.drawn_by != "vega-lite"


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


class ChartReconstructionEnvConfig(RevisingEnvConfig): ...


class ChartReconstructionEnv(RevisingEnv, vf.Env[ChartReconstructionEnvConfig]):
    """One rollout per chart, in process: one reply, or as many more as `revise` says."""
