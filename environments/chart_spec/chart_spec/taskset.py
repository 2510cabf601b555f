"""One task a chart: see the picture, write the specification that draws it."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

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
from inward_rewards.sandbox import set_workers
from pydantic import Field, field_validator

from chart_spec.prompt import (
    ASK,
    REFUSED,
    REVISE_RULE,
    REVISED,
    Weights,
    last_block,
    system_prompt,
)

AHEAD = 4
"""Charts drawn ahead of the one asked for."""
VALID = 0.99
"""What the true specification must score at least."""
MAX_REVISIONS = 8

DrawnBy = Literal["vega-lite", "matplotlib", "unknown"]


class ChartSpecTaskConfig(vf.TaskConfig):
    weights: Weights = Weights()
    """Of similarity, table F1 and text F1 in the reward."""


class ChartSpecConfig(vf.TasksetConfig):
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
    sandbox_workers: int | None = Field(None, ge=1)
    """Processes that draw and score at once, over the whole machine and every environment on it.
    Not set: INWARD_WORKERS, else the usable cores."""
    task: ChartSpecTaskConfig = ChartSpecTaskConfig()

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


class ChartSpecData(vf.TaskData):
    kind: str
    """Of the chart; the file's name for a picture of your own."""
    level: int
    """0 for a picture of your own."""
    drawn_by: DrawnBy
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


class ChartSpecTask(vf.Task[ChartSpecData, vf.State, ChartSpecTaskConfig]):
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
        try:
            drawn, score = await shared_renderer().score(last_block(reply), self.picture, truth)
        except RenderError as error:
            return Outcome(0.0, None, None, str(error))
        return Outcome(self._reward(score), score, drawn, None)

    async def _true_scene(self) -> Scene | None:
        if self._scene is None and self.data.truth is not None:
            self._scene = (await shared_renderer().render(self.data.truth)).scene
            self._scene.check_readable(repr(self.data.name))
        return self._scene

    def _reward(self, score: Score) -> float:
        weights = self.config.weights
        parts = (
            (weights.similarity, score.similarity),
            (weights.table, score.table),
            (weights.text, score.text),
        )
        known = [(weight, part) for weight, part in parts if part is not None]
        total = sum(weight for weight, _ in known)
        reward: float = sum(weight * part for weight, part in known) / total
        if not math.isfinite(reward):
            raise ValueError(f"the reward is {reward}: {score}")
        return reward

    @vf.reward
    async def chart(self, trace: vf.Trace[Any, Any, Any]) -> float:
        """The reward of the last reply that is drawn; its parts go to the metrics."""
        replies = [message.content or "" for message in trace.assistant_messages] or [""]
        outcomes = [await self.outcome(reply) for reply in replies]
        final = next((o for o in reversed(outcomes) if o.score is not None), outcomes[-1])
        trace.record_metric("rendered", float(final.score is not None))
        for part in fields(Score):
            if self.data.truth is not None or part.name == "similarity":
                value = 0.0 if final.score is None else getattr(final.score, part.name)
                trace.record_metric(part.name, value)
        if len(outcomes) > 1:
            gain = (final.reward - outcomes[0].reward) / (len(outcomes) - 1)
            trace.record_metric("gain_a_revision", gain)
        trace.info["chart"] = {
            "errors": [outcome.error for outcome in outcomes],
            "rewards": [outcome.reward for outcome in outcomes],
            "png_sha256": hashlib.sha256(final.drawn.png).hexdigest() if final.drawn else None,
            "renderer": shared_renderer().version,
        }
        return final.reward

    async def feedback(self, reply: str) -> vf.UserMessage:
        """What the policy sees before it revises a reply."""
        outcome = await self.outcome(reply)
        if outcome.drawn is None:
            return vf.UserMessage(content=REFUSED.format(error=outcome.error))
        both = side_by_side(self.picture, shrunk(outcome.drawn.png))
        return _message(both, REVISED)

    async def validate(self, runtime: vf.Runtime) -> bool | None:
        """Whether the true specification scores 0.99 against the picture that Vega draws of it."""
        if self.data.truth is None:
            return None
        renderer = shared_renderer()
        own = await renderer.render(self.data.truth)
        if not own.scene.rows or not own.scene.texts:
            return False
        picture = self.picture if self.data.drawn_by == "vega-lite" else shrunk(own.png)
        _, score = await renderer.score(self.data.truth, picture, own.scene)
        return self._reward(score) >= VALID


class ChartSpecTaskset(vf.Taskset[ChartSpecTask, ChartSpecConfig]):
    INFINITE = True

    def __init__(self, config: ChartSpecConfig) -> None:
        super().__init__(config)
        if config.sandbox_workers is not None:
            set_workers(config.sandbox_workers)
        self.INFINITE = config.path is None

    def load(self) -> Iterable[ChartSpecTask]:
        return self._generated() if self.config.path is None else self._of_folder(self.config.path)

    def _generated(self) -> Iterator[ChartSpecTask]:
        """Endless; the charts that come next are drawn meanwhile."""
        under_way: deque[Future[ChartSpecTask]] = deque()
        with ThreadPoolExecutor(AHEAD, thread_name_prefix="chart-spec") as threads:
            for number in itertools.count():
                under_way.append(threads.submit(self._chart, number))
                if len(under_way) > AHEAD:
                    yield under_way.popleft().result()

    def _chart(self, number: int) -> ChartSpecTask:
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

    def _of_folder(self, folder: Path) -> Iterator[ChartSpecTask]:
        for name, picture in folder_pictures(folder):
            yield self._task(picture, name=name, kind=name, level=0, drawn_by="unknown", truth=None)

    def _task(
        self,
        picture: bytes,
        *,
        name: str,
        kind: str,
        level: int,
        drawn_by: DrawnBy,
        truth: dict[str, Any] | None,
    ) -> ChartSpecTask:
        data = ChartSpecData(
            name=name,
            kind=kind,
            level=level,
            drawn_by=drawn_by,
            truth=truth,
            system_prompt=system_prompt(self.config.task.weights, known=truth is not None),
            prompt=[_message(picture, ASK)],
        )
        return ChartSpecTask(data, self.config.task)


def _message(picture: bytes, text: str) -> vf.UserMessage:
    image = vf.ImageUrlContentPart(image_url=vf.ImageUrlSource(url=data_url(picture)))
    return vf.UserMessage(content=[image, vf.TextContentPart(text=text)])


class ChartSpecEnvConfig(LocalEnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=MAX_REVISIONS + 1)
    revise: int = Field(0, ge=0, le=MAX_REVISIONS)
    """How often the policy sees what it drew beside the chart and may correct it."""


class ChartSpecEnv(LocalEnv, vf.Env[ChartSpecEnvConfig]):
    """One rollout a chart, in process: one reply, or as many more as `revise` says."""

    async def run(self, task: vf.Task[Any, Any, Any], agents: vf.Agents) -> None:
        assert isinstance(task, ChartSpecTask)
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
