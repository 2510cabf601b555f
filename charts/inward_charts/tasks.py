"""What the environments over charts have in common: where pictures come from, and revisions.

Needs verifiers: `pip install "inward-charts[tasks]"`.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, Self

import verifiers.v1 as vf
from inward_chat import ExistingFolder, LocalEnv, LocalEnvConfig, local_agent
from inward_rewards.charts import Scene, Score, shared_renderer
from pydantic import Field, field_validator

from inward_charts import matplotlib_png
from inward_charts.chart import KINDS, LEVELS, generate
from inward_charts.kinds import TABLE
from inward_charts.noise import Noise, with_noise
from inward_charts.pictures import (
    data_url,
    folder_pictures,
    from_data_url,
    shrunk,
    side_by_side,
)

AHEAD = 4
"""Charts drawn ahead of the one asked for."""
MAX_REVISIONS = 8


class ChartsConfig(vf.TasksetConfig):
    """The pictures of a taskset: generated charts without end, or a folder."""

    seed: int = 0
    """Of the stream of charts. Train and evaluate on different ones."""
    kinds: list[str] = Field(default_factory=lambda: list(KINDS))
    """Kinds of charts to draw from; those of papers are drawn only where they are named."""
    levels: list[int] = Field(default_factory=lambda: list(LEVELS))
    """Difficulty: 1 easy, 3 hard."""
    matplotlib_share: float = Field(0.25, ge=0, le=1)
    """Share of the charts that matplotlib draws, so that one renderer's pixels are not learned."""
    noise_share: float = Field(0, ge=0, le=1)
    """Share of the pictures that look scanned, compressed as JPEG, or printed without colours."""
    path: ExistingFolder | None = None
    """A folder of pictures of your own, in place of the generator. The reward is likeness alone."""
    sandbox_workers: int | None = Field(None, ge=1)
    """Processes that draw and score at once, over the whole machine and every environment on it.
    Not set: INWARD_WORKERS, else the usable cores."""

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, kinds: list[str]) -> list[str]:
        if not kinds or not set(kinds) <= set(TABLE):
            raise ValueError(f"kinds {kinds!r}: choose from {', '.join(TABLE)}")
        return kinds

    @field_validator("levels")
    @classmethod
    def _known_levels(cls, levels: list[int]) -> list[int]:
        if not levels or not set(levels) <= set(LEVELS):
            raise ValueError(f"levels {levels!r}: choose from {', '.join(map(str, LEVELS))}")
        return levels


@dataclass(frozen=True)
class ChartPicture:
    """One picture, and what is known of it."""

    png: bytes
    name: str
    kind: str
    """Of the chart; the file's name for a picture of one's own."""
    level: int = 0
    """0 for a picture of one's own."""
    drawn_by: str = "unknown"
    """vega-lite, matplotlib or unknown."""
    noise: Noise = "none"
    truth: dict[str, Any] | None = None
    """The true specification, where it is known."""


def pictures(
    config: ChartsConfig, named: Iterable[tuple[str, bytes]] | None = None
) -> Iterator[ChartPicture]:
    """The pictures that `config` asks for: those of its folder, or charts without end.

    Args:
        named: pictures from elsewhere, as (name, PNG), in place of both.
    """
    if named is None and config.path is not None:
        named = folder_pictures(config.path)
    if named is None:
        yield from _generated(config)
    else:
        yield from (ChartPicture(png, name, name) for name, png in named)


def _generated(config: ChartsConfig) -> Iterator[ChartPicture]:
    """The charts that come next are drawn meanwhile."""
    under_way: deque[Future[ChartPicture]] = deque()
    with ThreadPoolExecutor(AHEAD, thread_name_prefix="charts") as threads:
        for number in itertools.count():
            under_way.append(threads.submit(chart_picture, config, number))
            if len(under_way) > AHEAD:
                yield under_way.popleft().result()


def chart_picture(config: ChartsConfig, number: int) -> ChartPicture:
    """Chart number `number` of the stream that `config` asks for."""
    chart = generate(
        number,
        config.seed,
        kinds=config.kinds,
        levels=config.levels,
        matplotlib_share=config.matplotlib_share,
        noise_share=config.noise_share,
    )
    if chart.renderer == "matplotlib":
        png = matplotlib_png(chart.figure)
    else:
        png = shared_renderer().render_sync(chart.spec).png
    return ChartPicture(
        shrunk(with_noise(png, chart.noise, chart.level, number)),
        name=f"{chart.kind}-{chart.level}-{number}",
        kind=chart.kind,
        level=chart.level,
        drawn_by=chart.renderer,
        noise=chart.noise,
        truth=chart.spec,
    )


class ChartData(vf.TaskData):
    kind: str
    """Of the chart; the file's name for a picture of your own."""
    level: int
    """0 for a picture of your own."""
    drawn_by: str
    """vega-lite, matplotlib or unknown."""
    noise: Noise = "none"
    """By what the picture is worn."""
    truth: dict[str, Any] | None
    """The true specification, where it is known. Scoring alone reads it: no prompt does."""

    @classmethod
    def of(cls, picture: ChartPicture, *, system_prompt: str, ask: str) -> Self:
        """The data of a task that shows `picture` and asks `ask`."""
        return cls(
            name=picture.name,
            kind=picture.kind,
            level=picture.level,
            drawn_by=picture.drawn_by,
            noise=picture.noise,
            truth=picture.truth,
            system_prompt=system_prompt,
            prompt=[picture_message(picture.png, ask)],
        )

    @property
    def picture(self) -> bytes:
        """The PNG that the policy sees."""
        return next(
            from_data_url(part.image_url.url)
            for message in self.prompt or ()
            if isinstance(message, vf.UserMessage) and isinstance(message.content, list)
            for part in message.content
            if isinstance(part, vf.ImageUrlContentPart)
        )


def picture_message(picture: bytes, text: str) -> vf.UserMessage:
    image = vf.ImageUrlContentPart(image_url=vf.ImageUrlSource(url=data_url(picture)))
    return vf.UserMessage(content=[image, vf.TextContentPart(text=text)])


@dataclass(frozen=True)
class Outcome:
    """What came of one reply."""

    reward: float
    score: Score | None
    drawn: bytes | None
    """The PNG."""
    error: str | None
    """Why nothing was drawn."""


def record(trace: vf.Trace[Any, Any, Any], outcomes: Sequence[Outcome], *, known: bool) -> Outcome:
    """Writes what came of a rollout's replies into its trace; returns the last that was drawn.

    Args:
        known: whether the true specification is: without it only the likeness means something.
    """
    final = next((o for o in reversed(outcomes) if o.score is not None), outcomes[-1])
    trace.record_metric("rendered", float(final.score is not None))
    for part in fields(Score):
        if known or part.name == "similarity":
            value = 0.0 if final.score is None else getattr(final.score, part.name)
            trace.record_metric(part.name, value)
    if len(outcomes) > 1:
        gain = (final.reward - outcomes[0].reward) / (len(outcomes) - 1)
        trace.record_metric("gain_per_revision", gain)
    trace.info["chart"] = {
        "errors": [outcome.error for outcome in outcomes],
        "rewards": [outcome.reward for outcome in outcomes],
        "png_sha256": hashlib.sha256(final.drawn).hexdigest() if final.drawn else None,
        "renderer": shared_renderer().version,
    }
    return final


def weighted(parts: Iterable[tuple[float, float | None]]) -> float:
    """The mean of the parts that are known, by their weights.

    ValueError: it is not finite.
    """
    known = [(weight, part) for weight, part in parts if part is not None]
    reward = sum(weight * part for weight, part in known) / sum(weight for weight, _ in known)
    if not math.isfinite(reward):
        raise ValueError(f"the reward is {reward}: {known}")
    return reward


class ChartTask:
    """What tasks over charts share, beside `vf.Task`: replies are drawn, and may be revised."""

    data: ChartData
    refused: str
    """What the policy is told of a reply that draws nothing, with `{error}`."""
    revised: str
    """What it is told beside the picture of one that does."""
    revise_rule: str
    """What the system prompt says of revisions, with their number as `{count}`."""
    _scene: Scene | None = None

    async def outcome(self, reply: str) -> Outcome:
        """Draws and scores one reply. The model's faults score 0; the machine's raise."""
        raise NotImplementedError

    async def outcomes(self, trace: vf.Trace[Any, Any, Any]) -> list[Outcome]:
        """Of each reply of a rollout, or of an empty one where there is none."""
        replies = [message.content or "" for message in trace.assistant_messages] or [""]
        return [await self.outcome(reply) for reply in replies]

    async def true_scene(self) -> Scene | None:
        """What the true specification shows; None where it is not known."""
        if self._scene is None and self.data.truth is not None:
            self._scene = (await shared_renderer().render(self.data.truth)).scene
            self._scene.check_readable(repr(self.data.name))
        return self._scene

    async def feedback(self, reply: str) -> vf.UserMessage:
        """What the policy sees before it answers again."""
        outcome = await self.outcome(reply)
        if outcome.drawn is None:
            return vf.UserMessage(content=self.refused.format(error=outcome.error))
        both = side_by_side(self.data.picture, shrunk(outcome.drawn))
        return picture_message(both, self.revised)


class RevisingEnvConfig(LocalEnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=MAX_REVISIONS + 1)
    revise: int = Field(0, ge=0, le=MAX_REVISIONS)
    """How often the policy sees what was drawn beside the chart, and may answer again."""


class RevisingEnv(LocalEnv, vf.Env[RevisingEnvConfig]):
    """One rollout per chart, in process: one reply, or as many more as `revise` says. Its tasks are
    `ChartTask`s."""

    async def run(self, task: vf.Task[Any, Any, Any], agents: vf.Agents) -> None:
        revisions = self.config.revise
        if revisions == 0:
            await agents.agent.run(task)
            return
        assert isinstance(task, ChartTask)
        prompt = f"{task.data.system_prompt}\n\n{task.revise_rule.format(count=revisions)}"
        async with agents.agent.interaction(task.with_system_prompt(prompt)) as conversation:
            segment = await conversation.turn()
            for _ in range(revisions):
                if segment.terminated:
                    return
                segment = await conversation.turn([await task.feedback(segment.last_reply)])
