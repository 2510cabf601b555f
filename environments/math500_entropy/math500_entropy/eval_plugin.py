"""What `inward eval math500-entropy` adds to a plain run. It is loaded by `inward` alone."""

from collections.abc import Sequence
from typing import get_args

import verifiers.v1 as vf
from inward_rewards.entropy import EntropyReport

from inward.eval_plugin import EvalPlugin, Value
from math500_entropy.baselines import (
    make_constant,
    make_copy_first_expression,
    make_random_integer,
)
from math500_entropy.data import Subject


def accuracy(trace: vf.WireTrace) -> float | None:
    reward = trace.rewards.get("correct")
    return None if reward is None else reward.score


def metric(name: str, right: bool | None = None) -> Value:
    """A metric of all rollouts, or of the right or the wrong ones."""
    return lambda trace: (
        trace.metrics.get(name) if right is None or accuracy(trace) == float(right) else None
    )


def among(field: str, wanted: object) -> Value:
    return lambda trace: (
        accuracy(trace) if (trace.task.data.model_extra or {}).get(field) == wanted else None
    )


COLUMNS: tuple[tuple[str, Value], ...] = (
    ("accuracy", accuracy),
    *((f"accuracy, level {level}", among("level", level)) for level in range(1, 6)),
    *((f"accuracy, {subject}", among("subject", subject)) for subject in get_args(Subject)),
    ("well formed", metric("well_formed")),
    ("echoed", metric("echoed")),
    ("tokens a reply", metric("completion_tokens")),
    ("normalised entropy, right", metric("entropy_normalised", right=True)),
    ("normalised entropy, wrong", metric("entropy_normalised", right=False)),
)


def notes(traces: Sequence[vf.WireTrace]) -> list[str]:
    report = EntropyReport("entropy")
    for trace in traces:
        if trace.ok:
            report.add(trace, bool(trace.info.get("correct")))
    return report.lines()


# Problems are independent: the plug-in's own cluster, the question, is right.
PLUGIN = EvalPlugin(
    baselines={
        "constant": make_constant,
        "random-integer": make_random_integer,
        "copy-first-expression": make_copy_first_expression,
    },
    columns=COLUMNS,
    default_args=("--env.taskset.split", "sample"),
    answered=metric("answered"),
    notes=notes,
)
