"""What `inward eval quality-rag` adds to a plain run: baselines and the columns of its report.

It is loaded by `inward` alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import verifiers.v1 as vf

from inward.eval_plugin import EvalPlugin
from quality_rag.baselines import make_keyword_reader, make_random

DEFAULT_ARGS = ("--env.taskset.split", "sample")
BASELINES = {"keyword-reader": make_keyword_reader, "random": make_random}
CHANCE = 0.25


def accuracy(trace: vf.WireTrace) -> float | None:
    reward = trace.rewards.get("correct")
    return None if reward is None else reward.score


def hard_accuracy(trace: vf.WireTrace) -> float | None:
    return accuracy(trace) if trace.metrics.get("hard") else None


def answered(trace: vf.WireTrace) -> bool:
    """Whether the reply held an answer in the format that the prompt asks for."""
    return trace.metrics.get("answered") == 1.0


COLUMNS = (
    ("accuracy", accuracy),
    ("accuracy, HARD subset", hard_accuracy),
    ("searches a rollout", lambda trace: trace.metrics.get("searches")),
    ("repeated queries a rollout", lambda trace: trace.metrics.get("repeated_queries")),
    ("share of the story seen", lambda trace: trace.metrics.get("story_seen")),
    ("answered", lambda trace: trace.metrics.get("answered")),
)


def notes(traces: Sequence[vf.WireTrace]) -> list[str]:
    if not any((trace.task.data.id or "").startswith("inward-") for trace in traces):
        return []
    return [
        "The sample's wrong options reuse the story's words on purpose: matching words finds them"
        " more often than chance."
    ]


def story(trace: vf.WireTrace) -> str | None:
    """The questions of one story are not independent: up to 18 share one."""
    return (trace.task.data.model_extra or {}).get("story_id")


PLUGIN = EvalPlugin(
    baselines=BASELINES,
    columns=COLUMNS,
    default_args=DEFAULT_ARGS,
    chance=CHANCE,
    cluster=story,
    answered=answered,
    notes=notes,
)
