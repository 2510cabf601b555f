"""`inward eval --floors`: what replies that did not do the task earn, on the tasks of a run.

An environment's plugin says how a reply is scored (`eval_plugin.Floors`), and may add replies of
its own; the empty reply, the prompt itself and the reply to another task are every environment's.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from inward_statistics import Mean, clustered_mean, paired_difference

from inward.errors import UserError
from inward.eval_plugin import EvalPlugin, Floors, question
from inward.verifiers_runs import InwardConfig

SEEDS = 4
"""Of the noise floor."""
AT_ONCE = 32
"""Replies that are scored at once."""
NOISE = "noise"
SHUFFLED = "shuffled"


@dataclass(frozen=True)
class Floor:
    """What one kind of reply earns."""

    label: str
    mean: Mean
    """The interval is unknown where there can be none: a reward without chance has no noise."""


@dataclass(frozen=True)
class Measured:
    floors: list[Floor]
    notes: list[str]
    """Lines below the table."""


FILE = "floors.json"
"""In the folder of the run, for the report."""


def save(measured: Measured, folder: Path) -> None:
    """Replaces what an earlier measurement left there."""
    kept = {
        "floors": [
            {**asdict(floor.mean), "label": floor.label, "low": _known(floor.mean.low),
             "high": _known(floor.mean.high)}
            for floor in measured.floors
        ],
        "notes": measured.notes,
    }  # fmt: skip
    temporary = folder / f".{FILE}.{os.getpid()}"
    try:
        temporary.write_text(json.dumps(kept, allow_nan=False), "utf-8")
        temporary.replace(folder / FILE)
    finally:
        temporary.unlink(missing_ok=True)


def saved(folder: Path) -> Measured | None:
    """What `inward eval --floors` last measured on the tasks of a run; None where it did not.

    Raises `UserError` for a file that is none of ours."""
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        kept = json.loads(file.read_text("utf-8"))
        floors = [
            Floor(
                str(one["label"]),
                Mean(
                    float(one["value"]), _number(one["low"]), _number(one["high"]),
                    int(one["count"]), int(one["clusters"]),
                ),
            )
            for one in kept["floors"]
        ]  # fmt: skip
        return Measured(floors, [str(line) for line in kept["notes"]])
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise UserError(
            f"{str(file)!r} holds no floors of inward ({type(error).__name__}: {error}): remove it"
        ) from error


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def measure(plugin: EvalPlugin, config: InwardConfig, traces: Sequence[vf.WireTrace]) -> Measured:
    """The floors of every task that was scored, once each. Raises what the scoring raises."""
    assert plugin.floors is not None
    first: dict[Any, vf.WireTrace] = {}
    for trace in traces:
        first.setdefault(question(trace), trace)
    tasks = [_Played(plugin, config, trace) for trace in first.values()]
    if not tasks:
        return Measured([], [])
    rewards = asyncio.run(_rewards(plugin.floors, tasks))
    clusters = [task.cluster for task in tasks]
    floors = [Floor(label, _mean(label, found, clusters)) for label, found in rewards.items()]
    return Measured(floors, [_verdict(plugin, traces, tasks, rewards)])


def _mean(label: str, found: list[float], clusters: Sequence[Any]) -> Mean:
    if label == NOISE and not any(found):
        # No chance was seen in it: nothing to resample.
        return Mean(0.0, math.nan, math.nan, len(found), len(set(clusters)))
    return clustered_mean(found, clusters)


class _Played:
    """A task of the run, made again, and what was said to it."""

    def __init__(self, plugin: EvalPlugin, config: InwardConfig, trace: vf.WireTrace) -> None:
        taskset: Any = config.env.taskset
        kind = vf.task_type(taskset.id)
        data = kind.data_type().model_validate(trace.task.data.model_dump())
        self.task = kind(data, config=taskset.task)
        self.key = question(trace)
        self.cluster = plugin.cluster(trace)
        replies = [message.content or "" for message in trace.assistant_messages]
        self.reply = replies[-1] if replies else ""
        self.prompt = _words(data)


def _words(data: vf.TaskData) -> str:
    """What the policy is told in words."""
    told = [data.system_prompt or ""]
    if isinstance(data.prompt, str):
        told.append(data.prompt)
    for message in data.prompt if isinstance(data.prompt, list) else ():
        content = message.content
        if isinstance(content, str):
            told.append(content)
        elif isinstance(content, list):
            told += [part.text for part in content if isinstance(part, vf.TextContentPart)]
    return "\n".join(filter(None, told))


async def _rewards(floors: Floors, tasks: Sequence[_Played]) -> dict[str, list[float]]:
    """Label -> reward of each task; of the noise floor, the deviation over seeds."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def scored(task: Any, reply: str) -> float:
        async with slots:
            return await floors.score(task, reply)

    async def each(reply: Callable[[_Played], str]) -> list[float]:
        return list(await asyncio.gather(*(scored(one.task, reply(one)) for one in tasks)))

    async def noise(one: _Played) -> float:
        if floors.reseeded is None:
            return 0.0
        again = [floors.reseeded(one.task, seed) for seed in range(SEEDS)]
        if any(task is None for task in again):
            return 0.0
        found = await asyncio.gather(*(scored(task, one.reply) for task in again))
        return statistics.stdev(found)

    others = dict(zip((t.key for t in tasks), (*tasks[1:], tasks[0]), strict=True))
    said: dict[str, Callable[[_Played], str]] = {
        **({SHUFFLED: lambda one: others[one.key].reply} if len(tasks) > 1 else {}),
        "empty": lambda one: "",
        "the prompt": lambda one: one.prompt,
        **{label: _always(text) for label, text in floors.replies.items()},
    }
    work: dict[str, Awaitable[list[float]]] = {NOISE: asyncio.gather(*map(noise, tasks))}
    work |= {label: each(reply) for label, reply in said.items()}
    found = await asyncio.gather(*work.values())
    return dict(zip(work, found, strict=True))


def _always(text: str) -> Callable[[_Played], str]:
    return lambda one: text


def _verdict(
    plugin: EvalPlugin,
    traces: Sequence[vf.WireTrace],
    tasks: Sequence[_Played],
    rewards: dict[str, list[float]],
) -> str:
    """How far the policy is above the highest floor, on the same tasks."""
    headline = plugin.columns[0][1]
    by_task: dict[Any, list[float]] = {}
    for trace in traces:
        if (value := headline(trace)) is not None:
            by_task.setdefault(question(trace), []).append(value)
    kept = [n for n, task in enumerate(tasks) if task.key in by_task]
    label = max(
        (name for name in rewards if name != NOISE),
        key=lambda name: statistics.fmean(rewards[name]),
    )
    if not kept:
        return f"The highest floor is {label!r}; the policy has no {plugin.columns[0][0]}."
    policy = [statistics.fmean(by_task[tasks[n].key]) for n in kept]
    floor = [rewards[label][n] for n in kept]
    gap = paired_difference(policy, floor, [tasks[n].cluster for n in kept])
    known = f", 95 % interval {gap.low:.3f} to {gap.high:.3f}" if math.isfinite(gap.low) else ""
    return f"Above the highest floor ({label}), task by task: {gap.value:.3f}{known}." + (
        "" if gap.low > 0 else " That may be chance."
    )
