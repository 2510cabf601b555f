"""What a policy does on held-out tasks, and what changed: with intervals over tasks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from inward_statistics import (
    clustered_mean,
    clustered_mean_of_any,
    paired_difference,
    pass_at_k,
)

Rows = Sequence[dict[str, Any]]
"""One per rollout: task, text, and what `MEASURES` names."""
MEASURES = "correct well_formed tokens reward entropy truncated way".split()


def row_of(task: Any, key: str, sample: Any, *, sampled: bool) -> dict[str, Any]:
    """`task`: the module; `key`: of the problem."""
    written = [p for p, own in zip(sample.logprobs, sample.loss_mask, strict=True) if own]
    return {
        "task": key,
        "sampled": sampled,
        "reward": sample.reward,
        "correct": float(sample.rewards["correct"] > 0),
        "well_formed": float(sample.metrics[task.LAYOUT]),
        "tokens": len(written),
        # Unbiased at temperature 1: minus the mean logprob of what was sampled.
        "entropy": -sum(written) / len(written) if sampled else None,
        "truncated": float(sample.truncated),
    }


def interval(mean: Any) -> list[float | None]:
    """Mean, lower and upper end; no ends where all values are alike and say nothing of them."""
    every = (mean.value, mean.low, mean.high)
    return [None if math.isnan(one) else round(one, 4) for one in every]


def per_task(rows: Rows, value: Callable[[Rows], float]) -> dict[str, float]:
    of: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        of[row["task"]].append(row)
    return {task: value(found) for task, found in sorted(of.items())}


def share_right(rows: Rows) -> float:
    return sum(row["correct"] for row in rows) / len(rows)


def any_right(rows: Rows) -> float:
    """pass@k for k all the samples of the task."""
    return pass_at_k(len(rows), round(sum(row["correct"] for row in rows)), len(rows))


def summary(rows: Rows) -> dict[str, Any]:
    """Each measure: mean and 95 % interval, over tasks."""
    found: dict[str, Any] = {}
    for kind, sampled in (("greedy", False), ("sampled", True)):
        part = [row for row in rows if row["sampled"] == sampled]
        tasks = [row["task"] for row in part]
        for name in MEASURES:
            if (values := [row[name] for row in part])[0] is not None:
                found[f"{kind} {name}"] = interval(clustered_mean(values, tasks))
    right = per_task([row for row in rows if row["sampled"]], any_right)
    found["pass@k"] = interval(clustered_mean(list(right.values()), list(right)))
    return found


KINDS: tuple[tuple[str, bool, Callable[[Rows], float]], ...] = (
    ("greedy correct", False, share_right),
    ("sampled correct", True, share_right),
    ("pass@k", True, any_right),
)


def change(before: Sequence[Rows], after: Sequence[Rows]) -> dict[str, Any]:
    """After less before, task by task, with 95 % intervals over tasks: of one run each, or of the
    means of several, whose seeds are taken as they are."""
    found = {}
    for name, sampled, value in KINDS:
        first, second = (_means(runs, sampled, value) for runs in (before, after))
        tasks = list(first)
        found[name] = interval(
            paired_difference([second[task] for task in tasks], list(first.values()), tasks)
        )
    return found


def over_seeds(before: Sequence[Rows], after: Sequence[Rows]) -> dict[str, Any]:
    """`change` with intervals over seeds, of which there are several: the tasks are taken as they
    are, and `before` is one per seed."""
    found = {}
    for name, sampled, value in KINDS:
        first, second = ([_mean(run, sampled, value) for run in runs] for runs in (before, after))
        gained = [late - early for early, late in zip(first, second, strict=True)]
        mean = clustered_mean_of_any(gained, range(len(gained)))
        found[name] = interval(replace(mean, low=max(mean.low, -1.0), high=min(mean.high, 1.0)))
    return found


def _mean(rows: Rows, sampled: bool, value: Callable[[Rows], float]) -> float:
    of = _means([rows], sampled, value)
    return sum(of.values()) / len(of)


def _means(runs: Sequence[Rows], sampled: bool, value: Callable[[Rows], float]) -> dict[str, float]:
    """By task: the mean of the runs."""
    of = [per_task([row for row in rows if row["sampled"] == sampled], value) for rows in runs]
    return {task: sum(run[task] for run in of) / len(of) for task in of[0]}


def step_line(
    task: Any,
    step: int,
    groups: Sequence[Any],
    live: int,
    taken: Any | None,
    seconds: tuple[float, float],
) -> dict[str, Any]:
    """What a step saw: means over its rollouts, and what the update says of itself.

    `live`: groups that are not all alike. `seconds`: of the rollouts, and of the update.
    """
    rows = [
        row_of(task, group.task, one, sampled=True) for group in groups for one in group.samples
    ]
    line: dict[str, Any] = {"step": step, "rollouts": len(rows), "groups_with_spread": live}
    for name in ("reward", "correct", "well_formed", "tokens", "entropy"):
        line[name] = round(sum(row[name] for row in rows) / len(rows), 4)
    if taken is not None:
        line |= {name: float(f"{value:.3g}") for name, value in taken._asdict().items()}
    return line | dict(zip(("s_rollouts", "s_update"), (round(s, 1) for s in seconds), strict=True))
