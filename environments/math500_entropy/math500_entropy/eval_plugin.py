"""What `inward eval math500-entropy` adds to a plain run: baselines and columns of its report.

It is loaded by `inward` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_args

import verifiers.v1 as vf

from inward.eval_plugin import EvalPlugin
from math500_entropy.baselines import (
    make_constant,
    make_copy_first_expression,
    make_random_integer,
)
from math500_entropy.data import Subject
from math500_entropy.report import describe, row_of

DEFAULT_ARGS = ("--env.taskset.split", "sample")
BASELINES = {
    "constant": make_constant,
    "random-integer": make_random_integer,
    "copy-first-expression": make_copy_first_expression,
}

Column = tuple[str, Callable[[vf.WireTrace], float | None]]


def accuracy(trace: vf.WireTrace) -> float | None:
    reward = trace.rewards.get("correct")
    return None if reward is None else reward.score


def _among(field: str, wanted: object) -> Callable[[vf.WireTrace], float | None]:
    def column(trace: vf.WireTrace) -> float | None:
        value = (trace.task.data.model_extra or {}).get(field)
        return accuracy(trace) if value == wanted else None

    return column


def _entropy(right: bool) -> Callable[[vf.WireTrace], float | None]:
    def column(trace: vf.WireTrace) -> float | None:
        fits = accuracy(trace) == float(right)
        return trace.metrics.get("entropy_normalised") if fits else None

    return column


COLUMNS: tuple[Column, ...] = (
    ("accuracy", accuracy),
    *((f"accuracy, level {level}", _among("level", level)) for level in range(1, 6)),
    *((f"accuracy, {subject}", _among("subject", subject)) for subject in get_args(Subject)),
    ("well formed", lambda trace: trace.metrics.get("well_formed")),
    ("echoed", lambda trace: trace.metrics.get("echoed")),
    ("tokens a reply", lambda trace: trace.metrics.get("completion_tokens")),
    ("normalised entropy, right", _entropy(True)),
    ("normalised entropy, wrong", _entropy(False)),
)


def answered(trace: vf.WireTrace) -> bool:
    """Whether the reply held an answer in the format that the prompt asks for."""
    return trace.metrics.get("answered") == 1.0


def notes(traces: Sequence[vf.WireTrace]) -> list[str]:
    return describe(row_of(trace) for trace in traces if trace.ok)


# Problems are independent: the plug-in's own cluster, the question, is right.
PLUGIN = EvalPlugin(
    baselines=BASELINES,
    columns=COLUMNS,
    default_args=DEFAULT_ARGS,
    answered=answered,
    notes=notes,
)
