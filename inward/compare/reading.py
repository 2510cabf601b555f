"""What a comparison reads of a run: one value per rollout and figure, by task."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import verifiers.v1 as vf
from inward_chat.verifiers_compat import saved_config_path

from inward import runs, taxonomy
from inward.errors import UserError
from inward.eval_plugin import Column, EvalPlugin, question

Key = tuple[str, Hashable]
"""The seat, and the task."""


@dataclass
class Task:
    """What a run has of one task."""

    name: str
    position: float
    """In its taskset; infinite where it has none."""
    cluster: Hashable
    values: dict[str, list[float]] = field(default_factory=dict)
    """Label -> one value per scored rollout that has it."""

    def mean(self, label: str) -> float:
        return statistics.fmean(self.values[label])


@dataclass
class Side:
    """One of the two runs, reduced to numbers as it is read."""

    folder: Path
    environment: str
    tasks: dict[Key, Task] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)
    scored: int = 0
    failed: int = 0
    unreadable: list[int] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    """Names of rewards and metrics that there are."""


def environment(folder: Path) -> str:
    first = ""
    for rollout in runs.streamed(folder, []):
        first = first or rollout.episode.env.id
        if rollout.trace is not None:
            # An episode that failed before it began may have a trainer's name for its id.
            first = rollout.episode.env.id
            break
    if first:
        return first
    saved = saved_config_path(folder)
    config = json.loads(saved.read_text()) if saved else {}
    return str(((config.get("env") or {}).get("taskset") or {}).get("id") or "")


def column(metric: str, columns: Sequence[Column]) -> Column:
    """A figure of the environment by its label, `reward`, or a reward or metric by its name."""
    for label, value in columns:
        if label == metric:
            return label, value
    if metric == "reward":
        return metric, lambda trace: trace.reward
    return metric, _named(metric)


def _named(name: str) -> Callable[[vf.WireTrace], float | None]:
    def value(trace: vf.WireTrace) -> float | None:
        found = trace.rewards.get(name)
        return found.score if found is not None else trace.metrics.get(name)

    return value


def read(side: Side, columns: Sequence[Column], plugin: EvalPlugin | None) -> None:
    cluster = plugin.cluster if plugin else question
    for rollout in runs.streamed(side.folder, side.unreadable):
        trace = rollout.trace
        if trace is None:
            side.failed += 1
            continue
        if rollout.episode.env.id not in ("", side.environment):
            raise UserError(
                f"{str(side.folder)!r} holds rollouts of {side.environment!r} and of"
                f" {rollout.episode.env.id!r}: compare runs of one environment"
            )
        if not rollout.ok:
            side.failed += 1
            continue
        if not trace.agent.trainable:
            continue
        side.scored += 1
        side.versions.add(trace.verifiers.version)
        side.models |= {call.model for call in trace.calls if call.model}
        side.seen |= {*trace.rewards, *trace.metrics}
        key = (trace.agent.name, question(trace))
        idx = trace.task.data.idx
        position = math.inf if idx is None else idx
        name = taxonomy.task_name(rollout)
        task = side.tasks.setdefault(key, Task(name, position, cluster(trace)))
        for label, value in columns:
            if (found := value(trace)) is not None:
                if not math.isfinite(found):
                    raise UserError(
                        f"{label!r} is {found} in trace {trace.id} of {str(side.folder)!r}: a"
                        " comparison needs finite values"
                    )
                task.values.setdefault(label, []).append(found)
