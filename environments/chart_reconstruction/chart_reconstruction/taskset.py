"""One task a chart: describe it, and be paid for what is drawn from the words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import verifiers.v1 as vf
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
from inward_chat.downloads import cache_dir
from inward_rewards.charts import RenderError, Scene, Score, shared_renderer
from inward_rewards.images import (
    Canvas,
    EmbeddingConfig,
    PlainConfig,
    ReaderConfig,
    RedrawConfig,
    Redrawn,
    WriterConfig,
    drawing_likeness,
    reader_of,
    redraw_of,
    similarity_of,
)
from inward_rewards.sandbox import set_workers
from pydantic import Field, model_validator

from chart_reconstruction.charxiv import Split, charxiv_pictures
from chart_reconstruction.prompt import (
    ASK,
    REFUSED,
    REVISE_RULE,
    REVISED,
    Description,
    Similarity,
    SimilarityConfig,
    backend_text,
    description,
    reader_prompt,
    system_prompt,
)
from chart_reconstruction.stating import stated

FOLDER = "redraw"
"""Of the cache: what was drawn."""
LONGEST_TRUTHS = {
    ("curves_bands", 3): 20_000,
    ("curves_bands", 2): 12_000,
    ("scatter_dense", 3): 8_000,
}
"""Characters in which the densest generated charts of a kind and level are told, where they are
more than the default: noisy lines with a band each, up to 500 points."""
VALID = 0.9
"""What the truth in prose must score at least."""


class ChartReconstructionTaskConfig(vf.TaskConfig):
    redraw: Annotated[RedrawConfig | ReaderConfig, Field(discriminator="type")] = PlainConfig()
    """What draws a description; `reader`: what answers questions from it."""
    similarity: SimilarityConfig = Similarity()
    """What a drawing is paid for."""
    max_characters: int = Field(6000, ge=1, le=20_000)
    """Of a reply that are read."""

    @property
    def exact(self) -> bool:
        """Whether a specification is drawn, whose table and texts are known, and not a picture."""
        return isinstance(self.redraw, PlainConfig | WriterConfig | ReaderConfig)

    @model_validator(mode="after")
    def _table_is_drawn(self) -> Self:
        if self.similarity.type == "table" and not self.exact:
            raise ValueError(
                f"similarity.type 'table' needs a drawing whose table is known, and redraw.type "
                f"{self.redraw.type!r} draws pictures: set similarity.type to 'chart'"
            )
        return self

    @model_validator(mode="after")
    def _reader_compares_nothing(self) -> Self:
        if isinstance(self.redraw, ReaderConfig) and self.similarity != Similarity():
            raise ValueError(
                "redraw.type 'reader' pays answers, and draws nothing to compare: leave similarity "
                f"out (type {self.similarity.type!r} is set)"
            )
        return self

    @property
    def by_rules(self) -> bool:
        """Whether the rules of `plain` read a description."""
        if isinstance(self.redraw, ReaderConfig):
            return self.redraw.model is None
        return isinstance(self.redraw, PlainConfig)


class ChartReconstructionConfig(ChartsConfig):
    legacy_charxiv: Literal["hub"] | ExistingFolder | None = None
    """CharXiv's pictures, divided as the source divided them: a folder with its pictures (`<figure
    id>.jpg`) or its `val.parquet`, or `hub` for its pinned revision there."""
    split: Split = "eval"
    """Of CharXiv: `train` has 75 figures, `eval` 25."""
    task: ChartReconstructionTaskConfig = ChartReconstructionTaskConfig()

    @model_validator(mode="after")
    def _room_for_the_truth(self) -> Self:
        for (kind, level), longest in LONGEST_TRUTHS.items():
            asked = kind in self.kinds and level in self.levels and self.task.exact
            if asked and self.task.max_characters < longest:
                raise ValueError(
                    f"kinds {kind} at level {level} takes up to {longest} characters to tell, and "
                    f"task.max_characters is {self.task.max_characters}: set it to {longest}, or "
                    "leave that level or kind out"
                )
        return self

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.path is not None and self.legacy_charxiv is not None:
            raise ValueError("path and legacy_charxiv are both set: name one source of pictures")
        given = self.path is not None or self.legacy_charxiv is not None
        if given and self.task.similarity.type == "table":
            raise ValueError(
                "similarity.type 'table' needs charts whose table is known: leave path and "
                "legacy_charxiv unset, or set similarity.type to 'chart'"
            )
        if given and isinstance(self.task.redraw, ReaderConfig):
            raise ValueError(
                "redraw.type 'reader' asks about charts whose table is known: leave path and "
                "legacy_charxiv unset, or choose another redraw.type"
            )
        return self


@dataclass(frozen=True)
class Described(Outcome):
    metrics: dict[str, float]
    """Of the description."""
    record: dict[str, Any]
    """What the trace keeps of the drawing."""


class ChartReconstructionTask(
    ChartTask, vf.Task[ChartData, vf.State, ChartReconstructionTaskConfig]
):
    refused, revised, revise_rule = REFUSED, REVISED, REVISE_RULE

    @property
    def known(self) -> bool:
        """Whether a drawing's table and texts can be compared with those of the chart."""
        return self.data.truth is not None and self.config.exact

    async def outcome(self, reply: str, canvas: Canvas | None = None) -> Described:
        """`canvas`: with another `key` than the task's own, which it is by default, what is drawn
        by chance is drawn by another."""
        picture, config = self.data.picture, self.config
        read = description(reply, config.max_characters)
        metrics = {
            "characters": float(len(reply)),
            "cut_characters": float(read.cut),
            "code_characters": float(read.code),
        }
        if isinstance(config.redraw, ReaderConfig):
            return await self._answered(read, metrics, config.redraw)
        redraw = redraw_of(config.redraw, cache_dir() / FOLDER)
        redrawn = await redraw(read.text, canvas or Canvas.of(picture))
        metrics |= redrawn.metrics
        # A truth that is not drawn is no fault of the policy's.
        truth = None if redrawn.spec is None else await self.true_scene()
        try:
            drawn, score = await self._scored(redrawn, picture, truth)
        except RenderError as error:
            return Described(0.0, None, None, str(error), metrics, redrawn.record)
        if isinstance(config.similarity, EmbeddingConfig):
            drawings = redrawn.pictures if redrawn.spec is None else (drawn,)
            reward, found = await self._embedded(config.similarity, picture, drawings)
            metrics |= found
        else:
            reward = self._reward(config.similarity, score)
        return Described(reward, score, drawn, None, metrics, redrawn.record)

    async def _answered(
        self, read: Description, metrics: dict[str, float], config: ReaderConfig
    ) -> Described:
        """A description that is too long is masked (arXiv 2605.07394): nobody is asked."""
        if read.cut:
            error = f"the reply has more than {self.config.max_characters} characters"
            return Described(0.0, None, None, error, {**metrics, "masked": 1.0}, {})
        scene = await self.true_scene()
        assert scene is not None
        reader = reader_of(config, cache_dir() / FOLDER)
        found = await reader(read.text, scene, Canvas.of(self.data.picture).key)
        metrics = {**metrics, **found.metrics, "masked": 0.0}
        return Described(found.share, None, None, found.reason, metrics, found.record)

    async def _embedded(
        self, config: EmbeddingConfig, picture: bytes, drawings: Sequence[bytes | None]
    ) -> tuple[float, dict[str, float]]:
        """The reward, and the mean raw cosine and specificity of what was drawn. A drawing that
        was refused is like nothing."""
        similarity = similarity_of(config, cache_dir() / FOLDER)
        drawn = [one for one in drawings if one is not None]
        found = await asyncio.gather(*(similarity(picture, one) for one in drawn))
        metrics = {"cosine": sum(one.cosine for one in found) / len(found)}
        if config.specificity:
            metrics["specificity"] = sum(one.specificity or 0.0 for one in found) / len(found)
        return sum(one.value for one in found) / len(drawings), metrics

    async def _scored(
        self, redrawn: Redrawn, picture: bytes, truth: Scene | None
    ) -> tuple[bytes, Score]:
        """The drawing, or the first of several, and the score. Raises `RenderError` where nothing
        was drawn."""
        if redrawn.spec is not None:
            drawn, score = await shared_renderer().score(redrawn.spec, picture, truth)
            return drawn.png, score
        drawings = [drawing for drawing in redrawn.pictures if drawing is not None]
        if not drawings:
            raise RenderError(redrawn.reason)
        found = await asyncio.gather(*(drawing_likeness(picture, one) for one in drawings))
        # One that was refused is like nothing.
        likeness = sum(found) / len(redrawn.pictures)
        return drawings[0], Score(likeness, None, None, None, None, None)

    def _reward(self, similarity: Similarity, score: Score) -> float:
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
        if isinstance(self.config.redraw, ReaderConfig):
            [final] = outcomes
            trace.info["chart"] = {"errors": [final.error], "rewards": [final.reward]}
        else:
            final = record(trace, outcomes, known=self.known)
        assert isinstance(final, Described)
        trace.record_metrics(final.metrics)
        trace.info["chart"] |= {
            "redraw": self.config.redraw.type,
            "max_characters": self.config.max_characters,
            **final.record,
        }
        return final.reward

    async def validate(self, runtime: vf.Runtime) -> bool | None:
        """Whether the truth in prose scores 0.9; its table, where the picture is another
        renderer's, or worn. Only by the rules: what a model makes says as much of the model."""
        if self.data.truth is None or not self.config.by_rules:
            return None
        outcome = await self.outcome(stated(self.data.truth))
        if isinstance(self.config.redraw, ReaderConfig):
            return outcome.reward >= VALID
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
        # What is missing is told here, and not by the first rollout.
        folder = cache_dir() / FOLDER
        if isinstance(config.task.redraw, ReaderConfig):
            reader_of(config.task.redraw, folder)
        else:
            redraw_of(config.task.redraw, folder)
        if isinstance(config.task.similarity, EmbeddingConfig):
            similarity_of(config.task.similarity, folder)

    def load(self) -> Iterable[ChartReconstructionTask]:
        source = self.config.legacy_charxiv
        charxiv = charxiv_pictures(source, self.config.split) if source is not None else None
        return map(self.task_of, pictures(self.config, charxiv))

    def task_of(self, picture: ChartPicture) -> ChartReconstructionTask:
        """The task that shows `picture`."""
        task = self.config.task
        limit = task.max_characters
        if isinstance(task.redraw, ReaderConfig):
            prompt = reader_prompt(task.redraw, limit)
        else:
            known = task.exact and picture.truth is not None
            reader = backend_text(task.redraw)
            prompt = system_prompt(task.similarity, limit, reader, known=known)
        data = ChartData.of(picture, system_prompt=prompt, ask=ASK)
        return ChartReconstructionTask(data, task)


class ChartReconstructionEnvConfig(RevisingEnvConfig):
    @model_validator(mode="after")
    def _a_revision_sees_a_drawing(self) -> Self:
        task = getattr(self.taskset, "task", None)
        if self.revise and isinstance(getattr(task, "redraw", None), ReaderConfig):
            raise ValueError(
                f"env.revise {self.revise} shows what was drawn, and redraw.type 'reader' draws "
                "nothing: leave revise out"
            )
        return self


class ChartReconstructionEnv(RevisingEnv, vf.Env[ChartReconstructionEnvConfig]):
    """One rollout per chart, in process: one reply, or as many more as `revise` says."""
