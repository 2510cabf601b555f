"""What a policy does on held-out tasks, and what changed: with intervals over tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from inward_statistics import clustered_mean, paired_difference, pass_at_k

Rows = Sequence[dict[str, Any]]
"""One per rollout: task, correct, well_formed, tokens, entropy, reward, sampled, stepwise."""


def row_of(task: str, sample: Any, *, sampled: bool) -> dict[str, Any]:
    written = [p for p, own in zip(sample.logprobs, sample.loss_mask, strict=True) if own]
    return {
        "task": task,
        "sampled": sampled,
        "reward": sample.reward,
        "correct": float(sample.rewards["correct"] > 0),
        "well_formed": float(sample.metrics["well_formed"]),
        "tokens": len(written),
        # Unbiased at temperature 1: minus the mean logprob of what was sampled.
        "entropy": -sum(written) / len(written) if sampled else None,
        "truncated": float(sample.truncated),
    }


def interval(mean: Any) -> list[float]:
    return [round(one, 4) for one in (mean.value, mean.low, mean.high)]


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
        for name in (
            "correct",
            "well_formed",
            "tokens",
            "reward",
            "entropy",
            "truncated",
            "stepwise",
        ):
            if (values := [row[name] for row in part]) and values[0] is not None:
                found[f"{kind} {name}"] = interval(clustered_mean(values, tasks))
    sampled_rows = [row for row in rows if row["sampled"]]
    k = len(sampled_rows) // len({row["task"] for row in sampled_rows})
    right = per_task(sampled_rows, any_right)
    found[f"pass@{k}"] = interval(clustered_mean(list(right.values()), list(right)))
    return found


def change(before: Rows, after: Rows) -> dict[str, Any]:
    """After less before, task by task, with 95 % intervals."""
    found = {}
    sampled_before = [row for row in before if row["sampled"]]
    sampled_after = [row for row in after if row["sampled"]]
    pairs = {
        "greedy correct": (
            per_task([row for row in before if not row["sampled"]], share_right),
            per_task([row for row in after if not row["sampled"]], share_right),
        ),
        "sampled correct": (
            per_task(sampled_before, share_right),
            per_task(sampled_after, share_right),
        ),
        "pass@k": (per_task(sampled_before, any_right), per_task(sampled_after, any_right)),
    }
    for name, (first, second) in pairs.items():
        tasks = sorted(first.keys() & second.keys())
        found[name] = interval(
            paired_difference([second[t] for t in tasks], [first[t] for t in tasks], tasks)
        )
    return found


def step_line(
    step: int, groups: Sequence[Any], live: int, taken: Any | None, seconds: tuple[float, float]
) -> dict[str, Any]:
    """What a step saw: means over its rollouts, and what the update says of itself.

    `live`: groups that are not all alike. `seconds`: of the rollouts, and of the update.
    """
    rows = [row_of(group.task, one, sampled=True) for group in groups for one in group.samples]
    line: dict[str, Any] = {"step": step, "rollouts": len(rows), "groups_with_spread": live}
    for name in ("reward", "correct", "well_formed", "tokens", "entropy"):
        line[name] = round(sum(row[name] for row in rows) / len(rows), 4)
    if taken is not None:
        line |= {name: float(f"{value:.3g}") for name, value in taken._asdict().items()}
    return line | dict(zip(("s_rollouts", "s_update"), (round(s, 1) for s in seconds), strict=True))
