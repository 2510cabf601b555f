"""Two runs, or two checkpoints of one, on the same tasks."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

from inward_statistics import mcnemar, paired_difference

from inward.report.rows import Row
from inward.report.sections import Reading

MAX_TASKS = 5000
"""Of the list in the page; the figures are over all."""

Side = tuple[int, int]
"""A run, and a section of it."""


def comparisons(readings: Sequence[Reading]) -> list[dict[str, Any]]:
    """Each run beside the first one, environment by environment, at its last checkpoint; and the
    first and the last checkpoint of each training."""
    sides: list[tuple[Side, Side]] = []
    for number, reading in enumerate(readings):
        for (env, kind), places in _checkpoints(reading).items():
            if reading.source.training and len(places) > 1:
                sides.append(((number, places[0]), (number, places[-1])))
            first = _checkpoints(readings[0]).get((env, kind))
            if number and first:
                sides.append(((0, first[-1]), (number, places[-1])))
    found = [_compared(readings, first, second) for first, second in sides]
    return [comparison for comparison in found if comparison is not None]


def _checkpoints(reading: Reading) -> dict[tuple[str, str], list[int]]:
    """(environment, kind) -> its sections, the earliest first."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, section in enumerate(reading.sections):
        if section["rollouts"]["scored"]:
            found[section["environment"], section["kind"]].append(place)
    return found


def _compared(readings: Sequence[Reading], first: Side, second: Side) -> dict[str, Any] | None:
    """Of tasks that both have scored: means over a task's rollouts, the second less the first."""
    one, other = (_by_task(readings[run], section) for run, section in (first, second))
    shared = sorted(one.keys() & other.keys())
    if not shared:
        return None
    flat = [row for rows in (one, other) for task in shared for row in rows[task]]
    headline = all(row.right is not None for row in flat)
    before = [_mean(one[task], headline) for task in shared]
    after = [_mean(other[task], headline) for task in shared]
    clusters = [readings[first[0]].clusters.get(one[task][0].id, task) for task in shared]
    difference = paired_difference(after, before, clusters)
    known = math.isfinite(difference.low)
    sections = [readings[run].sections[section] for run, section in (first, second)]
    label = sections[0]["scores"][0]["label"] if headline else "reward"
    binary = headline and all(row.right in (0.0, 1.0) for row in flat)
    alone = all(len(rows[task]) == 1 for rows in (one, other) for task in shared)
    pairs = list(zip(shared, before, after, strict=True))
    pairs.sort(key=lambda pair: (-abs(pair[2] - pair[1]), pair[0]))
    tasks = [
        {"task": task, "first": a, "second": b, "ids": [one[task][0].id, other[task][0].id]}
        for task, a, b in pairs[:MAX_TASKS]
    ]
    return {
        "first": list(first),
        "second": list(second),
        "environment": sections[0]["environment"],
        "metric": label,
        "tasks": len(shared),
        "only_first": len(one.keys() - other.keys()),
        "only_second": len(other.keys() - one.keys()),
        "means": [statistics.fmean(before), statistics.fmean(after)],
        "difference": difference.value,
        "interval": [difference.low, difference.high] if known else None,
        "clusters": difference.clusters,
        "mcnemar": _mcnemar(before, after, clusters) if binary and alone else None,
        "better": sum(b > a for a, b in zip(before, after, strict=True)),
        "worse": sum(b < a for a, b in zip(before, after, strict=True)),
        "by_task": tasks,
    }


def _by_task(reading: Reading, section: int) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in reading.rows:
        if row.section == section and row.status == "scored" and row.reward is not None:
            found[row.task].append(row)
    return found


def _mean(rows: Sequence[Row], headline: bool) -> float:
    return statistics.fmean((row.right if headline else row.reward) or 0.0 for row in rows)


def _mcnemar(
    before: Sequence[float], after: Sequence[float], clusters: Sequence[Hashable]
) -> float | None:
    """None where tasks share clusters: its pairs must be independent."""
    if len(set(clusters)) < len(clusters):
        return None
    return mcnemar([value == 1 for value in after], [value == 1 for value in before])
