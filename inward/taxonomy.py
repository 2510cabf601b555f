"""What became of each rollout of a run: one kind per rollout, from its trace alone.

The first kind that fits is taken, in the order of `Kind`. A rollout whose headline figure is 1 is
right, whatever else happened in it. Where the figure of an environment is not always 0 or 1,
nothing is right or wrong: what no earlier kind takes is `graded`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import verifiers.v1 as vf

from inward.eval_plugin import EvalPlugin
from inward.runs import Rollout, Run


class Kind(StrEnum):
    """In the order in which they are tried."""

    RIGHT = "right"
    TIMED_OUT = "timed out"
    """A limit of time stopped the rollout, or its episode."""
    MACHINE = "machine's fault"
    """It has errors and no score."""
    TRUNCATED = "truncated"
    """A limit of tokens, turns or context cut it short before it had answered."""
    LAYOUT = "layout missed"
    """It gave no answer in the form that the prompt asks for."""
    NO_TOOL = "tool never called"
    """It was offered tools, called none, and is wrong."""
    UNUSED = "evidence found and not used"
    """Tools showed it what the answer needs, and it is wrong; where the environment can tell."""
    NOT_FOUND = "evidence not found"
    """They did not; where the environment can tell."""
    WRONG = "wrong"
    GRADED = "graded"


@dataclass(frozen=True)
class Group:
    """The rollouts of one kind."""

    kind: Kind
    numbers: list[int]
    """Positions in the run, from 0: the K of `inward show`."""
    tasks: list[str]
    """Their tasks, each once, in the order of the run."""


def kinds(rollouts: Sequence[Rollout], plugin: EvalPlugin | None) -> list[Kind]:
    """The kind of each rollout."""
    figures = [_figure(rollout, plugin) for rollout in rollouts]
    known = [figure for figure in figures if figure is not None]
    binary = all(figure in (0.0, 1.0) for figure in known)
    return [
        _kind(rollout, plugin, figure, binary=binary)
        for rollout, figure in zip(rollouts, figures, strict=True)
    ]


def grouped(run: Run, plugin: EvalPlugin | None) -> list[Group]:
    """Every kind that the run has, in the order of `Kind`."""
    found: dict[Kind, list[int]] = {}
    for number, kind in enumerate(kinds(run.rollouts, plugin)):
        found.setdefault(kind, []).append(number)
    return [
        Group(
            kind, found[kind], list(dict.fromkeys(task_name(run.rollouts[n]) for n in found[kind]))
        )
        for kind in Kind
        if kind in found
    ]


def task_name(rollout: Rollout) -> str:
    """The id of its task, else its key, else its position."""
    task = rollout.episode.task
    name = task.data.id or task.key or task.data.idx
    return str(name)


def as_json(groups: Sequence[Group]) -> list[dict[str, Any]]:
    return [
        {"kind": g.kind.value, "count": len(g.numbers), "tasks": g.tasks, "rollouts": g.numbers}
        for g in groups
    ]


def _figure(rollout: Rollout, plugin: EvalPlugin | None) -> float | None:
    if not rollout.ok or rollout.trace is None:
        return None
    if plugin is None or not plugin.columns:
        return rollout.trace.reward
    return plugin.columns[0][1](rollout.trace)


def _kind(
    rollout: Rollout, plugin: EvalPlugin | None, figure: float | None, *, binary: bool
) -> Kind:
    trace = rollout.trace
    if binary and figure == 1:
        return Kind.RIGHT
    if rollout.episode.is_timeout or (trace is not None and trace.is_timeout):
        return Kind.TIMED_OUT
    if not rollout.ok or trace is None:
        return Kind.MACHINE
    answered = plugin.answered(trace) if plugin and plugin.answered else None
    if trace.is_truncated and not answered:
        return Kind.TRUNCATED
    if answered == 0:
        return Kind.LAYOUT
    return _wrong(trace, plugin) if binary and figure is not None else Kind.GRADED


def _wrong(trace: vf.WireTrace, plugin: EvalPlugin | None) -> Kind:
    if trace.tools and not any(reply.tool_calls for reply in trace.assistant_messages):
        return Kind.NO_TOOL
    found = plugin.evidence(trace) if plugin and plugin.evidence else None
    if found is None:
        return Kind.WRONG
    return Kind.UNUSED if found else Kind.NOT_FOUND
