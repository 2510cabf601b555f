"""chart-adversary: a proposer invents a chart, solvers copy or describe its picture.

The proposer's one reward, `difficulty`, is 1 less the solvers' mean score and less the noise floor
of the generator, where one draws, behind a gate (it is a chart), within a band (the solvers were
neither lost nor faultless), times novelty. A solver's reward is that of its own task: chart-spec's
(`mode = spec`) or chart-reconstruction's (`mode = prompt`).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from statistics import fmean
from typing import Annotated, Any, Literal, Self

import verifiers.v1 as vf
from chart_reconstruction.prompt import Similarity, SimilarityConfig
from chart_reconstruction.taskset import ChartReconstructionTaskConfig
from chart_spec.taskset import ChartSpecConfig, ChartSpecTaskConfig, ChartSpecTaskset
from inward_chat import LocalSeatsConfig, local_agent
from inward_rewards.images import DiffusersConfig, ImagesConfig
from pydantic import Field, model_validator

from chart_adversary.image_prompt import ImagePrompts
from chart_adversary.legibility import Proposal, proposal_of
from chart_adversary.novelty import REPEAT, Recent, novelty
from chart_adversary.prompt import image_system_prompt
from chart_adversary.seats import ProposerSolver
from chart_adversary.taskset import ChartAdversaryTaskset, ProposalTask

REWARD = "difficulty"
MEASURED = ("legibility", "ground", "marks", "even", "noise_floor", "blind")
"""What is measured of a proposal beside its faults, each where it can be."""
AnyTrace = vf.Trace[Any, Any, Any]


class ChartAdversaryEnvConfig(LocalSeatsConfig, ProposerSolver):
    proposer: vf.AgentConfig = local_agent(max_turns=1)
    """It writes specifications, or image prompts, and sees no picture."""
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
    mode: Literal["spec", "prompt"] = "spec"
    """What a proposal is: `spec`: a Vega-Lite specification, which solvers copy; `prompt`: an image
    prompt, which `redraw` draws and solvers describe."""
    redraw: Annotated[ImagesConfig | DiffusersConfig, Field(discriminator="type")] | None = None
    """The image generator of `prompt`, of proposals and descriptions: chart-reconstruction's
    `redraw.type images` or `diffusers`."""
    similarity: SimilarityConfig = Similarity()
    """What a description is paid for in `prompt`: chart-reconstruction's, `chart` or
    `embedding`."""
    redraws: int = Field(2, ge=1, le=16)
    """How often an image prompt is drawn again, for its noise floor."""

    @model_validator(mode="after")
    def _of_one_mode(self) -> Self:
        if self.mode == "spec":
            names = ("redraw", "similarity", "redraws")
            fields = type(self).model_fields
            if others := [name for name in names if getattr(self, name) != fields[name].default]:
                raise ValueError(
                    f"mode 'spec' asks no image generator, and {', '.join(others)} is set: set "
                    "mode to 'prompt', or leave it out"
                )
            return self
        if self.redraw is None:
            raise ValueError(
                "mode 'prompt' needs an image generator: set redraw.type to 'images', with "
                "redraw.base_url, or to 'diffusers'"
            )
        if getattr(self.taskset, "chart_spec", ChartSpecTaskConfig()) != ChartSpecTaskConfig():
            raise ValueError(
                "mode 'prompt' scores no specification, and taskset.chart_spec is set: set "
                "similarity instead, or leave it out"
            )
        self.solving  # noqa: B018 - its own checks
        return self

    @property
    def solving(self) -> ChartReconstructionTaskConfig:
        """The solvers' task in `prompt`."""
        assert self.redraw is not None
        return ChartReconstructionTaskConfig(redraw=self.redraw, similarity=self.similarity)


class ChartAdversaryEnv(vf.Env[ChartAdversaryEnvConfig]):
    def __init__(self, config: ChartAdversaryEnvConfig) -> None:
        super().__init__(config)
        assert isinstance(self.taskset, ChartAdversaryTaskset)
        given = self.taskset.config
        self._propose: Callable[[str, str], Awaitable[Proposal]]
        if config.mode == "prompt":
            # What is missing is told here, and not by the first rollout.
            images = ImagePrompts(config.solving, given.seed, config.redraws)
            self._propose = images.proposal_of
        else:
            copied = ChartSpecTaskset(ChartSpecConfig(id="chart-spec", task=given.chart_spec))
            self._propose = partial(proposal_of, copied)
        self._recent = Recent(config.memory)

    async def start(self) -> None:
        # Afresh for each run: its lock belongs to one event loop, and a run's rewards to the run.
        self._recent = Recent(self.config.memory)

    async def setup(self, agents: vf.Agents[Any]) -> None:
        agents.proposer.trainable = self.config.train_proposer
        agents.solver.trainable = self.config.train_solver

    async def run(self, task: vf.Task[Any, Any, Any], agents: vf.Agents[Any]) -> None:
        trace = await agents.proposer.run(self._told(task))
        if not trace.ok:
            return
        proposal = await self._propose(trace.last_reply, f"{task.data.name}-{task.data.idx}")
        trace.info["proposal"] = {
            "fault": proposal.fault,
            "reason": proposal.reason[:500],
            **proposal.found,
        }
        if proposal.task is None:
            return
        content = proposal.content
        assert content is not None
        trace.info["proposal"]["sameness"] = await self._recent.meet(content)
        kept = False
        try:
            kept = await self._solved(proposal.task, agents.solver)
        finally:
            if not kept:
                # The episode is played again, and is no repeat of itself.
                self._recent.forget(content)

    async def finalize(self, task: vf.Task[Any, Any, Any], episode: vf.Episode[Any, Any]) -> None:
        """Pays the proposer. Solvers have been paid by their own task."""
        if not all(trace.ok for trace in episode.traces):
            return
        assert isinstance(task, ProposalTask)
        [trace] = [trace for trace in episode.traces if trace.agent.name == "proposer"]
        said = trace.info["proposal"]
        metrics = {"refused": float(said["fault"] is not None), "drawn": float("kind" in said)}
        metrics |= {name: said[name] for name in MEASURED if name in said}
        paid = 0.0
        if said["fault"] is None:
            scores = _scores([t for t in episode.traces if t.agent.name == "solver"])
            mean, same = fmean(scores), said["sameness"]
            inside = task.config.low <= mean <= task.config.high
            # No better than a solver that does not look: it was lost.
            inside &= mean > said.get("blind", 0.0)
            left = max(0.0, 1 - mean - said.get("noise_floor", 0.0))
            paid = left * novelty(same) if inside else 0.0
            metrics |= {
                "solver_mean": mean,
                "solver_spread": max(scores) - min(scores),
                "inside_band": float(inside),
                "novelty": novelty(same),
                "repeat": float(same >= REPEAT),
            }
        trace.record_reward(REWARD, paid)
        trace.record_metrics(metrics)

    def _told(self, task: vf.Task[Any, Any, Any]) -> vf.Task[Any, Any, Any]:
        """The proposer's task with the instructions of the mode."""
        if self.config.mode == "spec":
            return task
        assert isinstance(task, ProposalTask)
        low, high = task.config.low, task.config.high
        return task.with_system_prompt(image_system_prompt(self.config.solving, low, high))

    async def _solved(self, task: vf.Task[Any, Any, Any], solver: vf.Agent) -> bool:
        """Whether no attempt failed, and no reward was cut short."""
        async with asyncio.TaskGroup() as group:
            playing = [group.create_task(solver.run(task)) for _ in range(self.config.n)]
        traces = [one.result() for one in playing]
        return all(trace.ok and not _cut_short(trace) for trace in traces)


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
            raise ValueError(f"a solver's reward is {trace.reward!r}: mend its weights")
    return [trace.reward for trace in solvers]
