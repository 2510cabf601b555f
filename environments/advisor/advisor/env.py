"""advisor: a trainable advisor, a frozen solver, any taskset.

`--env.id advisor` over any taskset. The advisor reads the task and writes advice; the solver plays
the task with the advice after its prompt, judged by the taskset's own rewards. The advisor's one
reward, `advice`, is the solver's mean reward with the advice minus its mean reward without, so that
what the solver does by itself is not paid.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Literal, Self
from weakref import WeakValueDictionary

import verifiers.v1 as vf
from inward_chat import LocalSeatsConfig, local_agent, named_harness, refuse_own_harness
from pydantic import Field, ModelWrapValidatorHandler, model_validator

from advisor.baseline import Baselines, key_of
from advisor.leak import gold_answers, states
from advisor.prompt import advice_prompt, advised

AnyTask = vf.Task[Any, Any, Any]
AnyTrace = vf.Trace[Any, Any, Any]

REWARD = "advice"
"""The advisor's only reward; on the solver's traces stands what the taskset pays."""


class AdvisorEnvConfig(LocalSeatsConfig):
    advisor: vf.AgentConfig = local_agent(max_turns=1)
    """The policy that is trained. It sees the task, its pictures too, and has no tools."""
    solver: vf.AgentConfig = local_agent()
    """Frozen: `--env.solver.model`, and `--env.solver.client.*` where it is served elsewhere."""
    attempts: int = Field(1, ge=1)
    """Rollouts of the solver with the advice, whose rewards are averaged."""
    baseline: int = Field(4, ge=1)
    """Rollouts of the solver without advice: once per task, then from the cache."""
    max_characters: int = Field(1000, ge=1)
    """Of the advice that the solver is shown; the prompt says so."""
    leak: Literal["measure", "refuse"] = "measure"
    """`refuse`: advice that states the gold answer is not passed on, and earns 0."""
    answer_field: str = "answer"
    """The field of the task's data that holds the gold answer, where the task has no
    `gold_answers` of its own: for `answer_in_advice`."""

    @model_validator(mode="wrap")
    @classmethod
    def _names_the_solver(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, Mapping):
            return handler(data)
        harness = named_harness(data.get("solver"))
        config = handler(dict(data))
        # verifiers makes a config without a taskset before it reads the command line.
        if "taskset" not in config.model_fields_set or not config.taskset.id:
            return config
        if config.solver.model is None:
            raise ValueError(
                "env.solver.model is not set, and the policy itself is no frozen solver: name the "
                "solver's model with --env.solver.model (for an eval it may be that of -m), and "
                "its server with --env.solver.client.base-url where it is another"
            )
        if not harness:
            refuse_own_harness(config.taskset.id, "solver")
        return config


class AdvisorEnv(vf.Env[AdvisorEnvConfig]):
    def __init__(self, config: AdvisorEnvConfig) -> None:
        super().__init__(config)
        self._baselines = Baselines()
        # One per task that is being measured: held by those that wait for it.
        self._measuring: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def setup(self, agents: vf.Agents[Any]) -> None:
        agents.solver.trainable = False

    async def run(self, task: AnyTask, agents: vf.Agents[Any]) -> None:
        config = self.config
        golds = gold_answers(task, config.answer_field)
        if golds is None and config.leak == "refuse":
            raise ValueError(
                f"leak 'refuse' needs the gold answer: the data of {type(task).__name__} has no "
                f"text in its field {config.answer_field!r}; name the field with "
                "--env.answer-field, or take --env.leak measure"
            )
        baseline = await self._baseline(task, agents.solver)
        if baseline is None:
            return  # the solver's traces say why, and fail the episode
        trace = await agents.advisor.run(
            vf.Task(advice_prompt(task.data, config.max_characters, told=config.leak == "refuse"))
        )
        if not trace.ok:
            return
        advice = trace.last_reply[: config.max_characters].strip()
        leaked = None if golds is None else states(advice, golds)
        trace.info[REWARD] = {"advice": advice, "baseline": baseline, "leaked": leaked}
        if advice and not (leaked and config.leak == "refuse"):
            await self._play(agents.solver, advised(task, advice), config.attempts, "advised")

    async def finalize(self, task: AnyTask, episode: vf.Episode[Any, Any]) -> None:
        """Pays the advisor. Without advice, or with advice that is refused, the solver did not
        play: 0, and not the noise of another baseline."""
        if not all(trace.ok for trace in episode.traces):
            return
        [trace] = [trace for trace in episode.traces if trace.agent.name == "advisor"]
        said = trace.info[REWARD]
        scores = [
            _score(solver)
            for solver in episode.traces
            if solver.info.get("advisor", {}).get("role") == "advised"
        ]
        trace.record_reward(REWARD, fmean(scores) - said["baseline"] if scores else 0.0)
        metrics = {
            "baseline": said["baseline"],
            "no_advice": float(not said["advice"]),
            "advice_characters": float(len(said["advice"])),
            "advice_cut": float(len(trace.last_reply) > self.config.max_characters),
        }
        if scores:
            metrics["advised"] = fmean(scores)
        if said["leaked"] is not None:
            metrics["answer_in_advice"] = float(said["leaked"])
        trace.record_metrics(metrics)

    async def _baseline(self, task: AnyTask, solver: vf.Agent) -> float | None:
        """The solver's mean reward without advice; None where a rollout of it failed."""
        key = key_of(task, self.config.taskset, solver.config, self.config.baseline)
        async with self._measuring.setdefault(key, asyncio.Lock()):
            known = await self._baselines.get(key)
            if known is None:
                traces = await self._play(solver, task, self.config.baseline, "baseline")
                if not all(trace.ok for trace in traces):
                    return None
                known = await self._baselines.keep(key, fmean(map(_score, traces)))
        return known

    async def _play(
        self, solver: vf.Agent, task: AnyTask, times: int, role: str
    ) -> Sequence[AnyTrace]:
        async with asyncio.TaskGroup() as group:
            playing = [group.create_task(solver.run(task)) for _ in range(times)]
        traces = [one.result() for one in playing]
        for trace in traces:
            trace.info["advisor"] = {"role": role}
        return traces


def _score(trace: AnyTrace) -> float:
    lost = [name for name, reward in trace.rewards.items() if reward is None]
    if lost:
        raise ValueError(
            f"the solver's rewards {', '.join(map(repr, lost))} were cut short by a time limit: "
            "raise --env.solver.timeout.scoring"
        )
    if not math.isfinite(trace.reward):
        raise ValueError(f"the solver's reward is {trace.reward!r}: mend the taskset's rewards")
    return trace.reward
