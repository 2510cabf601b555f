"""What `inward eval math500-entropy` adds to a plain run. It is loaded by `inward` alone."""

from collections.abc import Sequence
from typing import get_args

import verifiers.v1 as vf
from inward_rewards.entropy import EntropyReport
from inward_rewards.formats import last_reply

from inward.eval_plugin import Column, EvalPlugin, Value, metric, reward, task_field
from math500_entropy.baselines import (
    make_constant,
    make_copy_first_expression,
    make_random_integer,
)
from math500_entropy.data import Subject


def correct(field: str, wanted: object) -> Value:
    return reward("correct", lambda trace: task_field(trace, field) == wanted)


def entropy(right: bool) -> Value:
    """Of the right rollouts, or of the wrong ones."""
    of = reward("correct")
    return lambda trace: (
        trace.metrics.get("entropy_normalised") if of(trace) == float(right) else None
    )


COLUMNS: tuple[Column, ...] = (
    ("accuracy", reward("correct")),
    *((f"accuracy, level {level}", correct("level", level)) for level in range(1, 6)),
    *((f"accuracy, {subject}", correct("subject", subject)) for subject in get_args(Subject)),
    ("well formed", metric("well_formed")),
    ("echoed", metric("echoed")),
    ("tokens per reply", metric("completion_tokens")),
    ("normalised entropy, right", entropy(right=True)),
    ("normalised entropy, wrong", entropy(right=False)),
)


def notes(traces: Sequence[vf.WireTrace]) -> list[str]:
    report = EntropyReport("entropy")
    for trace in traces:
        if trace.ok:
            report.add(trace, bool(trace.info.get("correct")))
    return report.lines()


def answer(trace: vf.WireTrace) -> str | None:
    """What the reply gave as its answer, as it is written: `1/2` and `0.5` are two."""
    reply = last_reply(trace.assistant_messages) if trace.metrics.get("answered") else None
    return None if reply is None else reply.answer_or_box


# Problems are independent: the plug-in's own cluster, the question, is right.
PLUGIN = EvalPlugin(
    baselines={
        "constant": make_constant,
        "random-integer": make_random_integer,
        "copy-first-expression": make_copy_first_expression,
    },
    columns=COLUMNS,
    published={
        "always 3, MATH-500": 0.038,
        "a random integer, MATH-500": 0.022,
        "copying the first formula, MATH-500": 0.002,
    },
    default_args=("--env.taskset.split", "sample"),
    answered=metric("answered"),
    notes=notes,
    answer=answer,
    reference=lambda trace: task_field(trace, "answer"),
)
