"""One task a chart: describe it, and be paid for what is drawn from the words."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import verifiers.v1 as vf
from inward_charts import (
    KINDS,
    LEVELS,
    data_url,
    folder_pictures,
    from_data_url,
    generate,
    matplotlib_png,
    shrunk,
    side_by_side,
)
from inward_chat import ExistingFolder, LocalEnv, LocalEnvConfig, local_agent
from inward_rewards.charts import Rendered, RenderError, Scene, Score, shared_renderer
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

AHEAD = 4
"""Charts drawn ahead of the one asked for."""
VALID = 0.9
"""What the truth in prose must score at least."""
MAX_REVISIONS = 8


class ChartReconstructionTaskConfig(vf.TaskConfig):
    redraw: PlainConfig = PlainConfig()
    """What draws a description."""
    similarity: Similarity = Similarity()
    max_characters: int = Field(6000, ge=1, le=20_000)
    """Of a reply that are read."""


class ChartReconstructionConfig(vf.TasksetConfig):
    seed: int = 0
    """Of the stream of charts. Train and evaluate on different ones."""
    kinds: list[str] = Field(default_factory=lambda: list(KINDS))
    """Kinds of charts to draw from."""
    levels: list[int] = Field(default_factory=lambda: list(LEVELS))
    """Difficulty: 1 easy, 3 hard."""
    matplotlib_share: float = Field(0.25, ge=0, le=1)
    """Share of the charts that matplotlib draws, so that one renderer's pixels are not learned."""
    path: ExistingFolder | None = None
    """A folder of pictures of your own, in place of the generator. The reward is likeness alone."""
    legacy_charxiv: ExistingFolder | None = None
    """A folder with CharXiv's pictures (`<figure id>.jpg`), divided as the source divided them."""
    split: Split = "eval"
    """Of CharXiv: `train` has 75 figures, `eval` 25."""
    sandbox_workers: int | None = Field(None, ge=1)
    """Processes that draw and score at once, over the whole machine and every environment on it.
    Not set: INWARD_WORKERS, else the usable cores."""
    task: ChartReconstructionTaskConfig = ChartReconstructionTaskConfig()

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, kinds: list[str]) -> list[str]:
        if not kinds or not set(kinds) <= set(KINDS):
            raise ValueError(f"kinds {kinds!r}: choose from {', '.join(KINDS)}")
        return kinds

    @field_validator("levels")
    @classmethod
    def _known_levels(cls, levels: list[int]) -> list[int]:
        if not levels or not set(levels) <= set(LEVELS):
            raise ValueError(f"levels {levels!r}: choose from {', '.join(map(str, LEVELS))}")
        return levels

    @model_validator(mode="after")
    def _one_source(self) -> ChartReconstructionConfig:
        if self.path is not None and self.legacy_charxiv is not None:
            raise ValueError("path and legacy_charxiv are both set: name one source of pictures")
        pictures = self.path is not None or self.legacy_charxiv is not None
        if pictures and self.task.similarity.type == "table":
            raise ValueError(
                "similarity.type 'table' needs charts whose table is known: leave path and "
                "legacy_charxiv unset, or set similarity.type to 'chart'"
            )
        return self


class ChartReconstructionData(vf.TaskData):
    kind: str
    """Of the chart; the name of the picture where the chart is not a generated one."""
    level: int
    """0 for a picture."""
    drawn_by: str
    """vega-lite, matplotlib or unknown."""
    truth: dict[str, Any] | None
    """The true specification, where it is known. Scoring alone reads it: no prompt does."""


@dataclass(frozen=True)
class Outcome:
    """What came of one reply."""

    reward: float
    score: Score | None
    drawn: Rendered | None
    error: str | None
    """Why nothing was drawn."""
    metrics: dict[str, float]


class ChartReconstructionTask(
    vf.Task[ChartReconstructionData, vf.State, ChartReconstructionTaskConfig]
):
    _scene: Scene | None = None

    @property
    def picture(self) -> bytes:
        """The PNG that the policy sees."""
        return next(
            from_data_url(part.image_url.url)
            for message in self.data.prompt or ()
            if isinstance(message, vf.UserMessage) and isinstance(message.content, list)
            for part in message.content
            if isinstance(part, vf.ImageUrlContentPart)
        )

    async def outcome(self, reply: str) -> Outcome:
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
            return Outcome(0.0, None, None, redrawn.reason, metrics)
        try:
            drawn, score = await shared_renderer().score(redrawn.spec, self.picture, truth)
        except RenderError as error:
            return Outcome(0.0, None, None, str(error), metrics)
        return Outcome(self._reward(score), score, drawn, None, metrics)

    async def _true_scene(self) -> Scene | None:
        if self._scene is None and self.data.truth is not None:
            self._scene = (await shared_renderer().render(self.data.truth)).scene
            self._scene.check_readable(repr(self.data.name))
        return self._scene

    def _reward(self, score: Score) -> float:
        similarity = self.config.similarity
        # Numbers in marks of another kind are another chart.
        table = None if score.table is None else score.table if score.marks else 0.0
        if similarity.type == "table":
            assert table is not None
            return _finite(table, score)
        weights = similarity.weights
        parts = (
            (weights.likeness, score.similarity),
            (weights.table, table),
            (weights.text, score.text),
        )
        known = [(weight, part) for weight, part in parts if part is not None]
        total = sum(weight for weight, _ in known)
        return _finite(sum(weight * part for weight, part in known) / total, score)

    @vf.reward
    async def likeness(self, trace: vf.Trace[Any, Any, Any]) -> float:
        """The reward of the last reply from which something is drawn; its parts are metrics."""
        replies = [message.content or "" for message in trace.assistant_messages] or [""]
        outcomes = [await self.outcome(reply) for reply in replies]
        final = next((o for o in reversed(outcomes) if o.score is not None), outcomes[-1])
        trace.record_metric("drawn", float(final.score is not None))
        for part in fields(Score):
            if self.data.truth is not None or part.name == "similarity":
                value = 0.0 if final.score is None else getattr(final.score, part.name)
                trace.record_metric(part.name, value)
        for name, value in final.metrics.items():
            trace.record_metric(name, value)
        if len(outcomes) > 1:
            gain = (final.reward - outcomes[0].reward) / (len(outcomes) - 1)
            trace.record_metric("gain_per_revision", gain)
        trace.info["reconstruction"] = {
            "errors": [outcome.error for outcome in outcomes],
            "rewards": [outcome.reward for outcome in outcomes],
            "redraw": self.config.redraw.type,
            "png_sha256": hashlib.sha256(final.drawn.png).hexdigest() if final.drawn else None,
            "renderer": shared_renderer().version,
        }
        return final.reward

    async def feedback(self, reply: str) -> vf.UserMessage:
        """What the policy sees before it describes the chart again."""
        outcome = await self.outcome(reply)
        if outcome.drawn is None:
            return vf.UserMessage(content=REFUSED.format(error=outcome.error))
        return _message(side_by_side(self.picture, shrunk(outcome.drawn.png)), REVISED)

    async def validate(self, runtime: vf.Runtime) -> bool | None:
        """Whether the truth in prose scores 0.9."""
        if self.data.truth is None:
            return None
        outcome = await self.outcome(stated(self.data.truth))
        return outcome.reward >= VALID or self.data.drawn_by != "vega-lite"


def _finite(reward: float, score: Score) -> float:
    if not math.isfinite(reward):
        raise ValueError(f"the reward is {reward}: {score}")
    return reward


class ChartReconstructionTaskset(vf.Taskset[ChartReconstructionTask, ChartReconstructionConfig]):
    INFINITE = True

    def __init__(self, config: ChartReconstructionConfig) -> None:
        super().__init__(config)
        if config.sandbox_workers is not None:
            set_workers(config.sandbox_workers)
        self.INFINITE = config.path is None and config.legacy_charxiv is None

    def load(self) -> Iterable[ChartReconstructionTask]:
        if self.config.legacy_charxiv is not None:
            return self._pictures(charxiv_pictures(self.config.legacy_charxiv, self.config.split))
        if self.config.path is not None:
            return self._pictures(folder_pictures(self.config.path))
        return self._generated()

    def _generated(self) -> Iterator[ChartReconstructionTask]:
        """Endless; the charts that come next are drawn meanwhile."""
        under_way: deque[Future[ChartReconstructionTask]] = deque()
        with ThreadPoolExecutor(AHEAD, thread_name_prefix="chart-reconstruction") as threads:
            for number in itertools.count():
                under_way.append(threads.submit(self._chart, number))
                if len(under_way) > AHEAD:
                    yield under_way.popleft().result()

    def _chart(self, number: int) -> ChartReconstructionTask:
        chart = generate(
            number,
            self.config.seed,
            kinds=self.config.kinds,
            levels=self.config.levels,
            matplotlib_share=self.config.matplotlib_share,
        )
        if chart.renderer == "matplotlib":
            picture = matplotlib_png(chart.figure)
        else:
            picture = shared_renderer().render_sync(chart.spec).png
        return self._task(
            shrunk(picture),
            name=f"{chart.kind}-{chart.level}-{number}",
            kind=chart.kind,
            level=chart.level,
            drawn_by=chart.renderer,
            truth=chart.spec,
        )

    def _pictures(self, pictures: Iterable[tuple[str, bytes]]) -> Iterator[ChartReconstructionTask]:
        for name, picture in pictures:
            yield self._task(picture, name=name, kind=name, level=0, drawn_by="unknown", truth=None)

    def _task(
        self,
        picture: bytes,
        *,
        name: str,
        kind: str,
        level: int,
        drawn_by: str,
        truth: dict[str, Any] | None,
    ) -> ChartReconstructionTask:
        task = self.config.task
        data = ChartReconstructionData(
            name=name,
            kind=kind,
            level=level,
            drawn_by=drawn_by,
            truth=truth,
            system_prompt=system_prompt(
                task.similarity, task.max_characters, PLAIN, known=truth is not None
            ),
            prompt=[_message(picture, ASK)],
        )
        return ChartReconstructionTask(data, task)


def _message(picture: bytes, text: str) -> vf.UserMessage:
    image = vf.ImageUrlContentPart(image_url=vf.ImageUrlSource(url=data_url(picture)))
    return vf.UserMessage(content=[image, vf.TextContentPart(text=text)])


class ChartReconstructionEnvConfig(LocalEnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=MAX_REVISIONS + 1)
    revise: int = Field(0, ge=0, le=MAX_REVISIONS)
    """How often the policy sees what was drawn beside the chart and may describe it again."""


class ChartReconstructionEnv(LocalEnv, vf.Env[ChartReconstructionEnvConfig]):
    """One rollout a chart, in process: one reply, or as many more as `revise` says."""

    async def run(self, task: vf.Task[Any, Any, Any], agents: vf.Agents) -> None:
        assert isinstance(task, ChartReconstructionTask)
        revisions = self.config.revise
        if revisions == 0:
            await agents.agent.run(task)
            return
        told = f"{task.data.system_prompt}\n\n{REVISE_RULE.format(count=revisions)}"
        async with agents.agent.interaction(task.with_system_prompt(told)) as conversation:
            segment = await conversation.turn()
            for _ in range(revisions):
                if segment.terminated:
                    return
                segment = await conversation.turn([await task.feedback(segment.last_reply)])
