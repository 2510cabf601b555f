"""One task a problem: think, answer, and be rewarded for the answer, the layout, the entropy."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Self

import verifiers.v1 as vf
from inward_chat import ExistingFile
from inward_rewards.entropy.definition import Definition
from inward_rewards.formats import format_reward, last_reply, parse_reply
from inward_rewards.groups import MIN_STD, Gate, Over, absolute_bonus, group_bonus
from inward_rewards.hidden_states import (
    EntropyConfig,
    HiddenStatesError,
    Measurement,
    Policy,
    Source,
    UnmeasurableError,
    completions,
    keep_token_ids,
)
from inward_rewards.maths import verify
from inward_rewards.sandbox import set_workers
from pydantic import Field, field_validator, model_validator

from math500_entropy.data import DataError, Problem, Split, Subject, load_problems
from math500_entropy.prompt import REFERENCE_REPLY, SYSTEM_PROMPT

# verifiers shows the records of its own loggers only.
logger = logging.getLogger("verifiers.v1.math500_entropy")

Mode = Literal["current", "combined", "entropy_only"]

WITHOUT: dict[Mode, tuple[str, ...]] = {
    "current": ("entropy",),
    "combined": (),
    "entropy_only": ("correct", "format"),
}
"""Rewards that a mode records with weight 0."""


class Math500EntropyTaskConfig(vf.TaskConfig):
    mode: Mode = "combined"
    """`combined`: answer + layout + entropy bonus. `current`: no bonus. `entropy_only`: the bonus
    alone. What a mode leaves out is still recorded, with weight 0."""
    gate: Gate = "correct"
    """`correct`: a wrong answer gets no bonus. `none`: every rollout gets one."""
    zscore_over: Over = "all"
    """The siblings that a group's mean and deviation are taken over: `all`, or the `correct`."""
    band: float = Field(0.1, gt=0, le=1)
    """The bonus lies in -band..+band; one standard deviation in the group is worth `band`."""
    zscore_floor: Literal["rounding", "source"] = "rounding"
    """A group whose deviation is below it has no order, and no bonus. `rounding`: by how much an
    entropy may be off; `source`: 1e-6, as in the bonus's source."""
    entropy: EntropyConfig = EntropyConfig()
    """Where the hidden states come from, and which entropy of them."""

    @model_validator(mode="after")
    def _something_to_reward(self) -> Self:
        if self.mode == "entropy_only" and self.entropy.source == "off":
            raise ValueError('mode = "entropy_only" has nothing to reward: set entropy.source')
        return self

    def weighted(self) -> Self:
        """A copy with the mode's zero weights, where `rewards` names no weight.

        A copy, because this config is saved with the run: a zero that came from the mode would
        be read again as the user's own, under whatever mode the next run or replay names.
        """
        rewards = dict(self.rewards)
        for name in WITHOUT[self.mode]:
            entry = rewards.get(name, vf.RewardFunctionConfig())
            if entry.weight is None:
                rewards[name] = entry.model_copy(update={"weight": 0.0})
        weighted: Self = self.model_copy(update={"rewards": rewards})
        return weighted


class Math500EntropyConfig(vf.TasksetConfig):
    split: Split = "test"
    """`test`: MATH-500. `train`: the 12,000 others of MATH. Both are fetched on first use.
    `sample`: 28 problems that ship with the package."""
    path: ExistingFile | None = None
    """A file of the same schema, in place of `split`."""
    levels: list[int] = Field(default_factory=list)
    """Only these levels, 1 to 5."""
    subjects: list[Subject] = Field(default_factory=list)
    """Only these subjects."""
    sandbox_workers: int | None = Field(None, ge=1)
    """Processes that check answers at once, over the whole machine and every environment on it.
    Not set: INWARD_WORKERS, else the usable cores."""
    task: Math500EntropyTaskConfig = Math500EntropyTaskConfig()

    @field_validator("levels")
    @classmethod
    def _levels_exist(cls, levels: list[int]) -> list[int]:
        if not set(levels) <= set(range(1, 6)):
            raise ValueError(f"levels are 1 to 5, got {levels!r}")
        return levels


class Math500Data(vf.TaskData):
    answer: str
    """The gold answer. Scoring alone reads it: no prompt does."""
    subject: Subject
    level: int


class Math500EntropyTask(vf.Task[Math500Data, vf.State, Math500EntropyTaskConfig]):
    source: Source | None = None
    """Set by the environment, which owns it."""
    group: int = 1
    """Rollouts of this task that the environment compares."""

    def __init__(self, data: Math500Data, config: Math500EntropyTaskConfig | None = None) -> None:
        super().__init__(data, config)
        self.config = self.config.weighted()

    def measured_by(self, source: Source | None, group: int) -> Self:
        """A copy whose rollouts `source` measures, in groups of `group`."""
        clone = copy.copy(self)
        clone.source, clone.group = source, group
        return clone

    @vf.intercept
    def keep(self, response: vf.Response, trace: vf.Trace) -> None:  # type: ignore[type-arg]
        if self.config.entropy.source != "off":
            keep_token_ids(response, trace)

    async def finalize(self, trace: vf.Trace[Any, Any, Any], runtime: vf.Runtime) -> None:
        """Measure the last completion, and keep the result where a replay finds it."""
        if self.config.entropy.source == "off":
            return
        found = completions(trace)
        if not found or not found[-1].completion_ids:
            return
        if self.source is None:
            raise RuntimeError(
                "entropy.source needs the environment of this package, which opens it: run "
                "without --env.id"
            )
        try:
            measurement = await self.source.measure(found[-1], Policy.of(trace))
        except UnmeasurableError as reason:
            # Its length is the policy's doing: everything but the bonus is scored.
            logger.warning("a rollout is scored without its entropy: %s", reason)
            trace.info["entropy"] = {"unmeasured": str(reason), "group": self.group}
            return
        trace.info["entropy"] = {"measurement": measurement.to_info(), "group": self.group}

    # Metrics run before rewards: the verdict stands ready for both rewards that read it.

    @vf.metric
    async def verdict(self, trace: vf.Trace[Any, Any, Any]) -> dict[str, float]:
        reply = last_reply(trace.assistant_messages)
        verdict = None
        if reply is not None and reply.answer is not None:
            verdict = await verify(self.data.answer, reply.answer, problem=self.problem)
        trace.info["correct"] = verdict is not None and verdict.correct
        return {
            "answered": float(verdict is not None),
            "well_formed": float(reply is not None and reply.well_formed),
            "echoed": float(verdict is not None and verdict.reason == "echoed"),
            "verify_timeout": float(verdict is not None and verdict.verify_timeout),
        }

    @vf.metric
    async def length(self, trace: vf.Trace[Any, Any, Any]) -> dict[str, float]:
        measurement = measurement_of(trace)
        if measurement is not None:
            return {"completion_tokens": float(measurement.tokens + measurement.left_out)}
        # A server need not count tokens.
        return {} if trace.usage is None else {"completion_tokens": float(trace.num_output_tokens)}

    @vf.metric
    async def hidden_states(self, trace: vf.Trace[Any, Any, Any]) -> dict[str, float]:
        measurement = self.measured(trace)
        if measurement is None:
            return {"unmeasured": 1.0} if "entropy" in trace.info else {}
        return {
            "unmeasured": 0.0,
            "entropy_raw": measurement.raw,
            "entropy_normalised": self.fraction(measurement),
            "measures_policy": float(measurement.measures == "policy"),
        }

    @vf.reward
    async def correct(self, trace: vf.Trace[Any, Any, Any]) -> float:
        """1 where the only answer block outside the thinking equals the gold answer, and is not
        copied out of the problem."""
        return float(trace.info["correct"])

    @vf.reward
    async def format(self, trace: vf.Trace[Any, Any, Any]) -> float:
        """+0.2 for thinking and then one answer, each in its tags and not blank, else -0.5."""
        reply = last_reply(trace.assistant_messages)
        return 0.0 if reply is None else format_reward(reply)

    @vf.reward
    async def entropy(self, trace: vf.Trace[Any, Any, Any]) -> dict[str, float]:
        """The bonus, or nothing: no hidden states, or siblings that are not there yet."""
        bonus = self.bonus(trace)
        return {} if bonus is None else {"entropy": bonus}

    def measured(self, trace: vf.Trace[Any, Any, Any]) -> Measurement | None:
        """What was measured when the rollout was played, as the config still asks for."""
        measurement, asked = measurement_of(trace), self.config.entropy
        if measurement is not None and (measurement.preset, measurement.alpha) != (
            asked.preset,
            asked.alpha,
        ):
            raise HiddenStatesError(
                f"the rollout's entropy was measured with preset {measurement.preset!r} and alpha "
                f"{measurement.alpha!r}, and the config asks for {asked.preset!r} and "
                f"{asked.alpha!r}: name those of the rollout (entropy.preset, entropy.alpha), or "
                "play it again"
            )
        return measurement

    def bonus(self, trace: vf.Trace[Any, Any, Any]) -> float | None:
        measurement = self.measured(trace)
        if measurement is None:
            return None
        record, right = trace.info["entropy"], bool(trace.info["correct"])
        if record["group"] == 1:
            if self.config.gate == "correct" and not right:
                return 0.0
            return absolute_bonus(self.fraction(measurement), band=self.config.band)
        if "siblings" not in record:
            return None
        own: int = record["index"]
        definition = self.config.entropy.definition
        # Divided here and not when kept, so that a replay may divide otherwise.
        values = [
            sibling["raw"] / definition.scale(sibling["tokens"], sibling["dim"])
            for sibling in record["siblings"]
        ]
        flags = [sibling["correct"] for sibling in record["siblings"]]
        flags[own] = right
        bonuses = group_bonus(
            values,
            flags,
            band=self.config.band,
            gate=self.config.gate,
            over=self.config.zscore_over,
            floor=self.floor(measurement, definition, record["siblings"]),
        )
        return bonuses[own]

    def floor(
        self,
        measurement: Measurement,
        definition: Definition,
        siblings: Sequence[Mapping[str, float]],
    ) -> float:
        """The deviation below which a group has no order, in the unit of its divided values."""
        if self.config.zscore_floor == "source":
            return MIN_STD
        scales = [definition.scale(int(one["tokens"]), int(one["dim"])) for one in siblings]
        return measurement.rounding / min(scales)

    def fraction(self, measurement: Measurement) -> float:
        """The entropy as a fraction of the largest that so many tokens can have."""
        config = self.config.entropy.model_copy(update={"normalise": "max"})
        return measurement.value(config.definition)

    @property
    def problem(self) -> str:
        """What the policy is asked: copied out of it, an answer is none."""
        assert isinstance(self.data.prompt, str)  # as `task_data` makes it
        return self.data.prompt

    def weight(self, reward: str) -> float:
        entry = self.config.rewards.get(reward)
        return 1.0 if entry is None or entry.weight is None else entry.weight

    async def validate(self, runtime: vf.Runtime) -> bool:
        """Whether the gold answer, in the layout that the prompt asks for, scores full marks."""
        reply = parse_reply(REFERENCE_REPLY.format(answer=self.data.answer))
        if reply.answer is None or not reply.well_formed:
            return False
        return (await verify(self.data.answer, reply.answer, problem=self.problem)).correct


class Math500EntropyTaskset(vf.Taskset[Math500EntropyTask, Math500EntropyConfig]):
    def __init__(self, config: Math500EntropyConfig) -> None:
        super().__init__(config)
        if config.sandbox_workers is not None:
            set_workers(config.sandbox_workers)

    def load(self) -> Iterable[Math500EntropyTask]:
        """DataError where the filters leave nothing, and as `load_problems`."""
        config, found, left_out = self.config, False, []
        for problem in load_problems(config.split, config.path):
            if self._wanted(problem):
                found = True
                yield Math500EntropyTask(task_data(problem), config.task)
            else:
                left_out.append(problem)
        if not found:
            raise DataError(
                f"no problem of {str(config.path or config.split)!r} passes levels "
                f"{config.levels} and subjects {config.subjects} (empty: all): it has levels "
                f"{sorted({problem.level for problem in left_out})} and subjects "
                f"{sorted({problem.subject for problem in left_out})}"
            )

    def _wanted(self, problem: Problem) -> bool:
        levels, subjects = self.config.levels, self.config.subjects
        return (not levels or problem.level in levels) and (
            not subjects or problem.subject in subjects
        )


def task_data(problem: Problem) -> Math500Data:
    return Math500Data(
        id=problem.unique_id,
        prompt=problem.problem,
        system_prompt=SYSTEM_PROMPT,
        answer=problem.answer,
        subject=problem.subject,
        level=problem.level,
    )


def as_sibling(trace: vf.Trace[Any, Any, Any]) -> dict[str, float | bool] | None:
    """What the others of its group need of a rollout; None where nothing was measured."""
    measurement = measurement_of(trace)
    if measurement is None:
        return None
    return {
        "raw": measurement.raw,
        "tokens": measurement.tokens,
        "dim": measurement.dim,
        "correct": trace.info["correct"],
    }


def measurement_of(trace: vf.Trace[Any, Any, Any]) -> Measurement | None:
    kept = trace.info.get("entropy", {}).get("measurement")
    return None if kept is None else Measurement.from_info(kept)
