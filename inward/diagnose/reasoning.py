"""What the steps of a reasoning tell an inspector model of the reference answer."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import verifiers.v1 as vf
from inward_rewards.formats import last_reply
from inward_rewards.hidden_states import UnmeasurableError
from inward_rewards.signals import entropy_reductions, reasoning_steps
from inward_statistics import area_under_curve, clustered_mean

from inward.eval_plugin import EvalPlugin, question, task_field

SAMPLE = 64
"""Rollouts per checkpoint that are read, drawn at random by a fixed seed: each takes a forward pass
per step."""


class Reader(Protocol):
    """`inward_rewards.hidden_states.Inspector`."""

    def answer_entropies(
        self, problem: str, steps: Sequence[str], answer: str
    ) -> tuple[float, ...]: ...


@dataclass(frozen=True)
class Reasoning:
    question: Hashable
    problem: str
    text: str
    """The thinking of the last reply; of a reply without any, all of it."""
    answer: str
    """The reference."""
    right: bool | None
    """None: it is graded, or nobody says."""


class Sample:
    """As many rollouts as are read, each as likely as any other, however many there are."""

    def __init__(self) -> None:
        self.kept: list[Reasoning] = []
        self.offered = 0
        self._draw = random.Random(0)

    def offer(self, trace: vf.WireTrace, plugin: EvalPlugin | None, figure: float | None) -> None:
        """A rollout without a reference answer, or without a reply, is passed over."""
        named = plugin.reference if plugin else None
        answer = named(trace) if named else task_field(trace, "answer")
        reply = last_reply(trace.assistant_messages)
        if not isinstance(answer, str | int | float) or not str(answer).strip() or reply is None:
            return
        text = reply.thinking if (reply.thinking or "").strip() else reply.body
        verdict = figure == 1 if figure in (0, 1) else None
        found = Reasoning(
            question(trace), trace.task.data.prompt_text, text or "", str(answer).strip(), verdict
        )
        self.offered += 1
        if len(self.kept) < SAMPLE:
            self.kept.append(found)
        elif (place := self._draw.randrange(self.offered)) < SAMPLE:
            self.kept[place] = found


def inspect(sample: Sample, inspector: Reader) -> dict[str, Any] | None:
    """Plain data; None where no rollout can be read. Entropies in nats."""
    read: list[tuple[Reasoning, tuple[float, ...]]] = []
    too_long = 0
    for one in sample.kept:
        steps = reasoning_steps(one.text)
        try:
            read.append((one, inspector.answer_entropies(one.problem, steps, one.answer)))
        except UnmeasurableError:
            too_long += 1
    if not read:
        return None
    falls = [step > 0 for _, entropies in read for step in entropy_reductions(entropies)]
    return {
        "rollouts": len(read),
        "of": sample.offered,
        "too_long": too_long,
        "steps": statistics.fmean(len(entropies) - 1 for _, entropies in read),
        "before": statistics.fmean(entropies[0] for _, entropies in read),
        "after": statistics.fmean(entropies[-1] for _, entropies in read),
        "reduction": _mean(read),
        "reduction_right": _mean([pair for pair in read if pair[0].right is True]),
        "reduction_wrong": _mean([pair for pair in read if pair[0].right is False]),
        "auc_right": _auc([pair for pair in read if pair[0].right is not None]),
        "share_of_steps_that_reduce": sum(falls) / len(falls) if falls else None,
    }


def _mean(read: Sequence[tuple[Reasoning, tuple[float, ...]]]) -> dict[str, Any] | None:
    """Of the whole reduction; questions are independent, siblings are not."""
    if not read:
        return None
    values = [entropies[0] - entropies[-1] for _, entropies in read]
    found = asdict(clustered_mean(values, [one.question for one, _ in read]))
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in found.items()
    }


def _auc(read: Sequence[tuple[Reasoning, tuple[float, ...]]]) -> float | None:
    """The chance that a right rollout's reduction is larger than a wrong one's."""
    verdicts = [bool(one.right) for one, _ in read]
    if len(set(verdicts)) < 2:
        return None
    return area_under_curve([entropies[0] - entropies[-1] for _, entropies in read], verdicts)
