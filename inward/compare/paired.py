"""Two runs on the tasks that they share: differences, flips, and what is odd about the pair."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inward_chat.verifiers_compat import saved_config_path
from inward_statistics import Mean, mcnemar, paired_difference

from inward.compare.reading import Key, Side, Task
from inward.errors import UserError

MAX_DIFFERENCES = 6
"""Settings that differ, told one by one."""


@dataclass(frozen=True)
class Difference:
    """One figure of both runs over the tasks that have it in both."""

    label: str
    a: float
    b: float
    mean: Mean
    """Of B less A."""


@dataclass(frozen=True)
class Flips:
    """Right and wrong by task; a task is right in a run where more than half of its rollouts are.
    None of them where the metric is not always 0 or 1."""

    to_right: list[str]
    to_wrong: list[str]
    both_right: int
    both_wrong: int
    p: float
    """Of McNemar's exact test."""


@dataclass(frozen=True)
class Comparison:
    metric: str
    chosen: str
    """`default`, the environment's main figure, or `--metric`."""
    a: Side
    b: Side
    primary: Difference
    secondary: list[Difference]
    flips: Flips | None
    values: list[tuple[str, float, float]]
    """(task, A, B) of the metric."""
    only_a: list[str]
    only_b: list[str]
    clusters_shared: bool
    """Whether paired tasks share a cluster: McNemar's test takes them as independent."""
    warnings: list[str]


def compared(metric: str, chosen: str, a: Side, b: Side, others: Sequence[str]) -> Comparison:
    for side in (a, b):
        if not any(task.values.get(metric) for task in side.tasks.values()):
            known = ", ".join(sorted({"reward", *others, *side.seen}))
            raise UserError(
                f"no scored rollout of {str(side.folder)!r} has {metric!r}: there are {known}"
            )
    pairs, changed = _paired(a, b)
    both = [(one, other) for one, other in pairs if _has(metric, one, other)]
    if not both:
        raise UserError(
            f"{str(a.folder)!r} and {str(b.folder)!r} share no task that both scored, by key or id:"
            " compare runs of the same tasks"
        )
    primary = _difference(metric, both)
    secondary = [
        _difference(label, found)
        for label in others
        if (found := [pair for pair in pairs if _has(label, *pair)])
    ]
    return Comparison(
        metric=metric,
        chosen=chosen,
        a=a,
        b=b,
        primary=primary,
        secondary=secondary,
        flips=_flips(metric, both),
        values=[(one.name, *_means(metric, one, other)) for one, other in both],
        only_a=_alone(metric, a, [one for one, _ in both]),
        only_b=_alone(metric, b, [other for _, other in both]),
        clusters_shared=primary.mean.clusters < len(both),
        warnings=_warnings(a, b, changed) + _pooled(a, b),
    )


def _paired(a: Side, b: Side) -> tuple[list[tuple[Task, Task]], int]:
    """The tasks of both, and how many of them have the same name and another content: another
    prompt, other options."""
    pairs = [(task, b.tasks[key]) for key, task in a.tasks.items() if key in b.tasks]
    left = [_by_name(one, other) for one, other in ((a, b), (b, a))]
    changed = [(task, left[1][key]) for key, task in left[0].items() if key in left[1]]
    return sorted(pairs + changed, key=lambda pair: _place(pair[0])), len(changed)


def _place(task: Task) -> tuple[float, str]:
    """Order by the taskset, and not by when a rollout ended."""
    return task.position, task.name


def _by_name(side: Side, other: Side) -> dict[Key, Task]:
    """(seat, name) -> task, of the tasks that the other lacks and whose name is theirs alone."""
    found: dict[Key, list[Task]] = {}
    for (seat, content), task in side.tasks.items():
        if (seat, content) not in other.tasks:
            found.setdefault((seat, task.name), []).append(task)
    return {key: tasks[0] for key, tasks in found.items() if len(tasks) == 1}


def _alone(metric: str, side: Side, paired: Sequence[Task]) -> list[str]:
    """Names of the tasks that have the metric and no partner."""
    known = {id(task) for task in paired}
    return [
        task.name
        for task in sorted(side.tasks.values(), key=_place)
        if task.values.get(metric) and id(task) not in known
    ]


def _has(label: str, one: Task, other: Task) -> bool:
    return bool(one.values.get(label)) and bool(other.values.get(label))


def _means(label: str, one: Task, other: Task) -> tuple[float, float]:
    return one.mean(label), other.mean(label)


def _difference(label: str, pairs: Sequence[tuple[Task, Task]]) -> Difference:
    means = [_means(label, one, other) for one, other in pairs]
    a, b = [first for first, _ in means], [second for _, second in means]
    mean = paired_difference(b, a, [one.cluster for one, _ in pairs])
    return Difference(label, statistics.fmean(a), statistics.fmean(b), mean)


def _flips(metric: str, pairs: Sequence[tuple[Task, Task]]) -> Flips | None:
    every = [value for pair in pairs for task in pair for value in task.values[metric]]
    if not all(value in (0.0, 1.0) for value in every):
        return None
    means = [_means(metric, one, other) for one, other in pairs]
    right = [(first > 0.5, second > 0.5) for first, second in means]
    names = [one.name for one, _ in pairs]
    return Flips(
        to_right=[n for n, verdict in zip(names, right, strict=True) if verdict == (False, True)],
        to_wrong=[n for n, verdict in zip(names, right, strict=True) if verdict == (True, False)],
        both_right=right.count((True, True)),
        both_wrong=right.count((False, False)),
        p=mcnemar([second for _, second in right], [first for first, _ in right]),
    )


def _warnings(a: Side, b: Side, changed: int) -> list[str]:
    lines = []
    if differing := _settings_that_differ(a.folder, b.folder):
        more = len(differing) - MAX_DIFFERENCES
        shown = "; ".join(differing[:MAX_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")
        lines.append(f"they were not played alike: {shown}")
    if changed:
        lines.append(
            f"{changed} tasks were paired by their id and differ in content (prompt or options)"
        )
    if a.versions != b.versions:
        lines.append(
            "played by verifiers "
            + " and ".join("/".join(sorted(side.versions)) for side in (a, b))
        )
    lines += [
        f"{name} has {side.failed} failed rollouts, not scored: a difference may be theirs"
        for name, side in (("A", a), ("B", b))
        if side.failed
    ]
    lines += [
        f"{name} has {len(side.unreadable)} unreadable lines (a write that was cut short)"
        for name, side in (("A", a), ("B", b))
        if side.unreadable
    ]
    return lines


def _pooled(a: Side, b: Side) -> list[str]:
    seats = sorted({seat for side in (a, b) for seat, _ in side.tasks})
    if len(seats) < 2:
        return []
    return [
        f"the seats {', '.join(map(repr, seats))} are taken together: name a metric that only one "
        "of them has with --metric"
    ]


def _settings_that_differ(a: Path, b: Path) -> list[str]:
    """Of the environment and of sampling: `name: A's value / B's value`."""
    one, other = (_settings(folder) for folder in (a, b))
    if one is None or other is None:
        return []
    return [
        f"{name}: {one.get(name)!r} / {other.get(name)!r}"
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    ]


def _settings(folder: Path) -> dict[str, Any] | None:
    saved = saved_config_path(folder)
    if saved is None:
        return None
    config = json.loads(saved.read_text())
    flat: dict[str, Any] = {}
    _flatten({name: config.get(name) for name in ("env", "sampling")}, "", flat)
    return flat


def _flatten(value: Any, name: str, into: dict[str, Any]) -> None:
    if isinstance(value, dict) and value:
        for key, member in value.items():
            _flatten(member, f"{name}.{key}" if name else str(key), into)
    else:
        into[name] = value


def as_json(found: Comparison) -> dict[str, Any]:
    """docs/reading-runs.md has the schema; the comparison comes first, as it was settled first."""
    flips = found.flips
    return {
        "comparison": {
            "metric": found.metric,
            "chosen": found.chosen,
            "difference": "B - A",
            "paired_by": "task",
        },
        "environment": found.a.environment,
        "a": _side_json(found.a),
        "b": _side_json(found.b),
        "primary": _difference_json(found.primary),
        "mcnemar": None
        if flips is None
        else {
            "p": flips.p,
            "tasks_independent": not found.clusters_shared,
            "right": "more than half of the rollouts of the task",
            "both_right": flips.both_right,
            "both_wrong": flips.both_wrong,
        },
        "flipped": None
        if flips is None
        else {"to_right": flips.to_right, "to_wrong": flips.to_wrong},
        "unpaired": {"only_a": found.only_a, "only_b": found.only_b},
        "secondary": [_difference_json(one) for one in found.secondary],
        "tasks": [{"task": name, "a": a, "b": b} for name, a, b in found.values],
        "warnings": found.warnings,
    }


def _side_json(side: Side) -> dict[str, Any]:
    return {
        "folder": str(side.folder),
        "models": sorted(side.models),
        "rollouts": side.scored,
        "tasks": len(side.tasks),
        "failed": side.failed,
        "unreadable": len(side.unreadable),
    }


def _difference_json(one: Difference) -> dict[str, Any]:
    known = math.isfinite(one.mean.low)
    return {
        "label": one.label,
        "a": one.a,
        "b": one.b,
        "difference": one.mean.value,
        "interval": [one.mean.low, one.mean.high] if known else None,
        "tasks": one.mean.count,
        "clusters": one.mean.clusters,
    }
