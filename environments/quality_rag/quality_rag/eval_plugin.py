"""What `inward eval quality-rag` adds to a plain run: baselines and the columns of its report.

It is loaded by `inward` alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import verifiers.v1 as vf

from inward.eval_plugin import EvalPlugin, metric, reward, task_field
from quality_rag.baselines import make_keyword_reader, make_random

DEFAULT_ARGS = ("--env.taskset.split", "sample")
BASELINES = {"keyword-reader": make_keyword_reader, "random": make_random}
CHANCE = 0.25


COLUMNS = (
    ("accuracy", reward("correct")),
    ("accuracy, HARD subset", reward("correct", lambda trace: bool(trace.metrics.get("hard")))),
    ("searches per rollout", metric("searches")),
    ("repeated queries per rollout", metric("repeated_queries")),
    ("repeated passages per rollout", metric("repeated_passages")),
    ("broken calls per rollout", metric("broken_calls")),
    ("share of the story seen", metric("story_seen")),
    ("answered", metric("answered")),
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
    story_id: str | None = task_field(trace, "story_id")
    return story_id


PLUGIN = EvalPlugin(
    baselines=BASELINES,
    columns=COLUMNS,
    default_args=DEFAULT_ARGS,
    chance=CHANCE,
    cluster=story,
    answered=metric("answered"),
    notes=notes,
)
