"""What `inward eval charxiv` adds to a plain run: baselines, columns per category, floors.

It is loaded by `inward` alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import verifiers.v1 as vf

from charxiv.grading import plain
from charxiv.taskset import LOWER_BOUND
from inward.eval_plugin import EvalPlugin, Policy, metric, task_field

CATEGORIES = {
    1: "text in chart",
    2: "text in general",
    3: "number in chart",
    4: "number in general",
}
PUBLISHED = (
    "published, reasoning / descriptive (arXiv 2406.18521, with its judge): without the picture "
    "10.8 / 19.9 %, Phi-3-V 31.6 %, GPT-4o 47.1 %, human 80.5 / 92.1 %"
)


def constant(answer: str) -> Callable[[int], Policy]:
    """A policy that never looks."""

    def policy(seed: int) -> Policy:
        def reply(body: dict[str, Any]) -> Mapping[str, Any]:
            return {"content": f"Answer: {answer}"}

        return reply

    return policy


def correct(trace: vf.WireTrace) -> float | None:
    """By whatever judge, or by none."""
    scores = [r.score for r in trace.rewards.values() if r is not None]
    return scores[0] if scores else None


def of_category(number: int) -> Callable[[vf.WireTrace], float | None]:
    def value(trace: vf.WireTrace) -> float | None:
        asked = task_field(trace, "kind"), task_field(trace, "number")
        return correct(trace) if asked == ("reasoning", number) else None

    return value


def descriptive(trace: vf.WireTrace) -> float | None:
    return correct(trace) if task_field(trace, "kind") == "descriptive" else None


def notes(traces: Sequence[vf.WireTrace]) -> list[str]:
    """The judge or its absence, and what a policy earns that never looks."""
    judges = sorted({name for trace in traces for name in trace.rewards})
    lines = [PUBLISHED]
    if LOWER_BOUND in judges:
        lines.insert(0, "no judge: a lower bound, where texts in other words count as wrong")
    else:
        lines.insert(0, f"texts in other words by a judge: {', '.join(judges)}")
    golds: defaultdict[object, Counter[str]] = defaultdict(Counter)
    asked = {str(trace.task.data.id): trace for trace in traces}
    for trace in asked.values():
        place = (task_field(trace, "kind"), task_field(trace, "number"))
        golds[place][plain(str(task_field(trace, "gold")))] += 1
    if asked:
        top = sum(count.most_common(1)[0][1] for count in golds.values())
        lines.append(
            f"the most common answer of each category or template, known beforehand: "
            f"{top / len(asked):.1%} of these questions"
        )
    return lines


PLUGIN = EvalPlugin(
    baselines={
        "constant-2": constant("2"),
        "constant-not-applicable": constant("Not Applicable"),
        "constant-yes": constant("Yes"),
    },
    columns=[
        ("correct", correct),
        *((name, of_category(number)) for number, name in CATEGORIES.items()),
        ("descriptive", descriptive),
        ("corrected", metric("corrected")),
        ("judged", metric("judged")),
    ],
    cluster=lambda trace: task_field(trace, "figure"),
    answered=metric("answered"),
    notes=notes,
)
