"""Tasks for the proposer, without end: an idea each."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from typing import Self

import verifiers.v1 as vf
from chart_spec.taskset import ChartSpecTaskConfig
from inward_rewards.sandbox import set_workers
from pydantic import Field, model_validator

from chart_adversary.prompt import ASK, TOPICS, system_prompt


class ProposalTaskConfig(vf.TaskConfig):
    low: float = Field(0.1, ge=0, lt=1)
    """Mean score of the solvers below which a proposal is not paid: they drew nothing that has to
    do with it, which says nothing of the chart. An answer that never looks earns 0.06."""
    high: float = Field(0.95, gt=0, le=1)
    """Mean score above which it is not paid: what is left is the noise of the measures."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        return self


class ChartAdversaryConfig(vf.TasksetConfig):
    seed: int = 0
    """Of the order of the ideas."""
    sandbox_workers: int | None = Field(None, ge=1)
    """Processes that draw and score at once, over the whole machine and every environment on it.
    Not set: INWARD_WORKERS, else the usable cores."""
    chart_spec: ChartSpecTaskConfig = ChartSpecTaskConfig()
    """The solver's task, which is chart-spec's: its weights."""
    task: ProposalTaskConfig = ProposalTaskConfig()


class ProposalTask(vf.Task[vf.TaskData, vf.State, ProposalTaskConfig]):
    """The proposer's. What it is paid depends on the solvers: the environment says it."""


class ChartAdversaryTaskset(vf.Taskset[ProposalTask, ChartAdversaryConfig]):
    INFINITE = True

    def __init__(self, config: ChartAdversaryConfig) -> None:
        super().__init__(config)
        if config.sandbox_workers is not None:
            set_workers(config.sandbox_workers)

    def load(self) -> Iterable[ProposalTask]:
        config = self.config
        told = system_prompt(config.task.low, config.task.high)
        for turn in itertools.count():
            topics = list(TOPICS)
            random.Random(f"chart-adversary/{config.seed}/{turn}").shuffle(topics)
            for topic in topics:
                data = vf.TaskData(name=topic, system_prompt=told, prompt=ASK.format(topic=topic))
                yield ProposalTask(data, config.task)
