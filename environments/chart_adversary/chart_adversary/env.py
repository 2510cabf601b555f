"""chart-adversary: a proposer invents a chart, solvers copy it from its picture.

The proposer's one reward, `difficulty`, is 1 less the solvers' mean score, behind a gate (the chart
can be read), within a band (the solvers were neither lost nor faultless), times novelty. A solver's
reward is chart-spec's, of chart-spec's task.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import verifiers.v1 as vf
from chart_spec.taskset import ChartSpecConfig, ChartSpecTask, ChartSpecTaskset
from inward_chat import LocalSeatsConfig, local_agent
from pydantic import Field

from chart_adversary.legibility import Proposal, proposal_of
from chart_adversary.novelty import REPEAT, Content, Recent, novelty
from chart_adversary.seats import ProposerSolver
from chart_adversary.taskset import ChartAdversaryTaskset, ProposalTask

REWARD = "difficulty"
AnyTrace = vf.Trace[Any, Any, Any]


class ChartAdversaryEnvConfig(LocalSeatsConfig, ProposerSolver):
    proposer: vf.AgentConfig = local_agent(max_turns=1)
    """It writes specifications and sees no picture."""
    solver: vf.AgentConfig = local_agent(max_turns=1)
    """It needs vision. `--env.solver.model` and `--env.solver.client.*` where it is not the
    policy."""
    n: int = Field(4, ge=1)
    """Attempts of the solver at each proposal."""
    train_proposer: bool = True
    """Whether the proposer's rollouts are trained on."""
    train_solver: bool = True
    """Whether the solver's are."""
    max_concurrent_agents: int | None = 8
    """How many attempts at one proposal play at once."""
    memory: int = Field(64, ge=1)
    """Proposals, the latest of this environment worker, that a new one is compared with."""


class ChartAdversaryEnv(vf.Env[ChartAdversaryEnvConfig]):
    def __init__(self, config: ChartAdversaryEnvConfig) -> None:
        super().__init__(config)
        assert isinstance(self.taskset, ChartAdversaryTaskset)
        solver = self.taskset.config.chart_spec
        self._solvers = ChartSpecTaskset(ChartSpecConfig(id="chart-spec", task=solver))
        self._recent = Recent(config.memory)

    async def start(self) -> None:
        # Afresh for each run: its lock belongs to one event loop, and a run's rewards to the run.
        self._recent = Recent(self.config.memory)

    async def setup(self, agents: vf.Agents[Any]) -> None:
        agents.proposer.trainable = self.config.train_proposer
        agents.solver.trainable = self.config.train_solver

    async def run(self, task: vf.Task[Any, Any, Any], agents: vf.Agents[Any]) -> None:
        trace = await agents.proposer.run(task)
        if not trace.ok:
            return
        name = f"{task.data.name}-{task.data.idx}"
        proposal = await proposal_of(trace.last_reply, self._solvers, name)
        trace.info["proposal"] = _record(proposal)
        if proposal.task is None:
            return
        assert proposal.drawn is not None
        content = Content.of(proposal.drawn.scene)
        trace.info["proposal"]["sameness"] = await self._recent.meet(content)
        kept = False
        try:
            kept = await self._solved(proposal.task, agents.solver)
        finally:
            if not kept:
                # The episode is played again, and is no repeat of itself.
                self._recent.forget(content)

    async def finalize(self, task: vf.Task[Any, Any, Any], episode: vf.Episode[Any, Any]) -> None:
        """Pays the proposer. Solvers have been paid by chart-spec's task."""
        if not all(trace.ok for trace in episode.traces):
            return
        assert isinstance(task, ProposalTask)
        [trace] = [trace for trace in episode.traces if trace.agent.name == "proposer"]
        said = trace.info["proposal"]
        metrics = {"refused": float(said["fault"] is not None), "drawn": float("kind" in said)}
        if said["legibility"] is not None:
            metrics["legibility"] = said["legibility"]
        paid = 0.0
        if said["fault"] is None:
            scores = _scores([t for t in episode.traces if t.agent.name == "solver"])
            mean, same = fmean(scores), said["sameness"]
            inside = task.config.low <= mean <= task.config.high
            paid = (1 - mean) * novelty(same) if inside else 0.0
            metrics |= {
                "solver_mean": mean,
                "solver_spread": max(scores) - min(scores),
                "inside_band": float(inside),
                "novelty": novelty(same),
                "repeat": float(same >= REPEAT),
            }
        trace.record_reward(REWARD, paid)
        trace.record_metrics(metrics)

    async def _solved(self, task: ChartSpecTask, solver: vf.Agent) -> bool:
        """Whether no attempt failed, and no reward was cut short."""
        async with asyncio.TaskGroup() as group:
            playing = [group.create_task(solver.run(task)) for _ in range(self.config.n)]
        traces = [one.result() for one in playing]
        return all(trace.ok and not _cut_short(trace) for trace in traces)


def _record(proposal: Proposal) -> dict[str, Any]:
    """What the trace keeps."""
    found: dict[str, Any] = {
        "fault": proposal.fault,
        "reason": proposal.reason[:500],
        "legibility": proposal.legibility,
    }
    if proposal.drawn is not None:
        found |= {"kind": proposal.kind, "numbers": len(proposal.drawn.scene.rows)}
    return found


def _cut_short(trace: AnyTrace) -> bool:
    return None in trace.rewards.values()


def _scores(solvers: Sequence[AnyTrace]) -> list[float]:
    for trace in solvers:
        if _cut_short(trace):
            raise ValueError(
                "a solver's reward was cut short by a time limit: raise "
                "--env.solver.timeout.scoring"
            )
        if not math.isfinite(trace.reward):
            raise ValueError(f"a solver's reward is {trace.reward!r}: mend chart-spec's weights")
    return [trace.reward for trace in solvers]
