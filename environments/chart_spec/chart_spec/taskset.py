"""One task a chart: see the picture, write the specification that draws it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import verifiers.v1 as vf
from inward_charts import shrunk
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
from inward_rewards.charts import RenderError, Score, shared_renderer
from inward_rewards.sandbox import set_workers

from chart_spec.prompt import (
    ASK,
    REFUSED,
    REVISE_RULE,
    REVISED,
    Weights,
    last_block,
    system_prompt,
)

VALID = 0.99
"""What the true specification must score at least."""


class ChartSpecTaskConfig(vf.TaskConfig):
    weights: Weights = Weights()
    """Of similarity, table F1 and text F1 in the reward."""


class ChartSpecConfig(ChartsConfig):
    task: ChartSpecTaskConfig = ChartSpecTaskConfig()


class ChartSpecTask(ChartTask, vf.Task[ChartData, vf.State, ChartSpecTaskConfig]):
    refused, revised, revise_rule = REFUSED, REVISED, REVISE_RULE

    async def outcome(self, reply: str) -> Outcome:
        picture, truth = self.data.picture, await self.true_scene()
        try:
            drawn, score = await shared_renderer().score(last_block(reply), picture, truth)
        except RenderError as error:
            return Outcome(0.0, None, None, str(error))
        return Outcome(self._reward(score), score, drawn.png, None)

    def _reward(self, score: Score) -> float:
        weights = self.config.weights
        return weighted(
            [
                (weights.similarity, score.similarity),
                (weights.table, score.table),
                (weights.text, score.text),
            ]
        )

    @vf.reward
    async def chart(self, trace: vf.Trace[Any, Any, Any]) -> float:
        """The reward of the last reply that is drawn; its parts go to the metrics."""
        outcomes = await self.outcomes(trace)
        return record(trace, outcomes, known=self.data.truth is not None).reward

    async def validate(self, runtime: vf.Runtime) -> bool | None:
        """Whether the true specification scores 0.99 against the picture that Vega draws of it."""
        if self.data.truth is None:
            return None
        renderer = shared_renderer()
        own = await renderer.render(self.data.truth)
        if not own.scene.rows or not own.scene.texts:
            return False
        clean = self.data.drawn_by == "vega-lite" and self.data.noise == "none"
        picture = self.data.picture if clean else shrunk(own.png)
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
        return map(self.task_of, pictures(self.config))

    def task_of(self, picture: ChartPicture) -> ChartSpecTask:
        """The task that shows `picture`."""
        task = self.config.task
        prompt = system_prompt(task.weights, known=picture.truth is not None)
        return ChartSpecTask(ChartData.of(picture, system_prompt=prompt, ask=ASK), task)


class ChartSpecEnv(RevisingEnv, vf.Env[RevisingEnvConfig]):
    """One rollout per chart, in process: one reply, or as many more as `revise` says."""
