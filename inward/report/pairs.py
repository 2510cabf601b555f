"""Two runs, or two checkpoints of one, on the same tasks: what `inward compare` says of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from inward.compare.paired import as_json, compared
from inward.compare.reading import Side, Task
from inward.errors import UserError
from inward.report.sections import Reading

Place = tuple[int, int]
"""A run, and a section of it."""


def comparisons(readings: Sequence[Reading]) -> list[dict[str, Any]]:
    """Each run beside the first one, environment by environment, at its last checkpoint; and the
    first and the last checkpoint of each training. None where no task is shared."""
    sides: list[tuple[Place, Place]] = []
    for number, reading in enumerate(readings):
        for played, places in _checkpoints(reading).items():
            if reading.source.training and len(places) > 1:
                sides.append(((number, places[0]), (number, places[-1])))
            first = _checkpoints(readings[0]).get(played)
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


def _compared(readings: Sequence[Reading], first: Place, second: Place) -> dict[str, Any] | None:
    """Of the environment's main figure, which is settled before a rollout is read."""
    scores = readings[first[0]].sections[first[1]]["scores"]
    metric = scores[0]["label"]
    a, b = (_side(readings[run], section, metric) for run, section in (first, second))
    try:
        found = as_json(compared(metric, "default", a, b, ["reward"] * (metric != "reward")))
    except UserError:  # they share no task that both have scored
        return None
    for side, (run, _) in (("a", first), ("b", second)):
        found[side]["folder"] = readings[run].name
    return {"first": list(first), "second": list(second), **found}


def _side(reading: Reading, section: int, metric: str) -> Side:
    """What `inward.compare` reads of a run, from the rows that are there."""
    about = reading.sections[section]
    side = Side(
        reading.files[section].parent,
        about["environment"],
        scored=about["rollouts"]["scored"],
        failed=about["rollouts"]["failed"],
        models={about["model"]} - {""},
    )
    for row in reading.rows:
        if row.section != section or row.status != "scored" or not row.trainable:
            continue
        new = Task(row.task, row.position, row.cluster)
        task = side.tasks.setdefault((row.agent, row.key), new)
        for label, value in (("reward", row.reward), (metric, row.right)):
            if value is not None:
                task.values.setdefault(label, []).append(value)
    return side
