"""A run directory, read back: every rollout in an order that does not depend on when it ended."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import verifiers.v1 as vf
from inward_chat.verifiers_compat import TRACES_FILE

from inward.errors import UserError


@dataclass(frozen=True)
class Rollout:
    """One agent's trace of an episode, or an episode that failed before it had one."""

    episode: vf.WireEpisode
    trace: vf.WireTrace | None

    @property
    def ok(self) -> bool:
        """A failed episode's rollouts are not scored, whichever of them failed. Nor is one whose
        reward is no number: no mean could hold it, and no trainer takes it."""
        return self.episode.ok and self.trace is not None and math.isfinite(self.trace.reward)

    @property
    def errors(self) -> list[vf.Error]:
        """Oldest first; those of the episode last."""
        trace = self.trace
        found = [*(trace.errors if trace else ()), *self.episode.errors]
        if trace is not None and not math.isfinite(trace.reward):
            parts = ", ".join(f"{k}={r.score}" for k, r in trace.rewards.items() if r is not None)
            message = f"the reward is {trace.reward}: {parts}"
            found.append(vf.Error(type="NonFiniteReward", message=message))
        return found


@dataclass(frozen=True)
class Run:
    """The rollouts that a run directory holds: by position of their task, then by their start."""

    rollouts: list[Rollout]
    unreadable: list[int]
    """Lines, from 1, that are no episode: the last one where a write was cut short."""

    @property
    def environment(self) -> str | None:
        """The id of what was played; None where the run does not say. An episode that failed before
        it began may have a trainer's name for its id."""
        begun = [rollout for rollout in self.rollouts if rollout.trace is not None]
        played = next((rollout.episode.env for rollout in begun or self.rollouts), None)
        return played.id if played else None

    @property
    def scored(self) -> list[vf.WireTrace]:
        """Where some seats are frozen, those of the trained ones."""
        traces = [r.trace for r in self.rollouts if r.ok and r.trace is not None]
        return [trace for trace in traces if trace.agent.trainable] or traces

    @property
    def failed(self) -> list[Rollout]:
        return [rollout for rollout in self.rollouts if not rollout.ok]


def read(folder: Path) -> Run:
    """Raises `UserError` where `folder` is no run directory."""
    _refuse_no_run(folder)
    unreadable: list[int] = []
    return Run(sorted(_rollouts(folder, unreadable), key=place), unreadable)


def streamed(folder: Path, unreadable: list[int]) -> Iterator[Rollout]:
    """The rollouts of a run in the order of its file, one episode in memory at a time.

    The numbers of lines that are no episode are added to `unreadable`. Raises `UserError` as
    `read`, before the first rollout.
    """
    _refuse_no_run(folder)
    return _rollouts(folder, unreadable)


def _rollouts(folder: Path, unreadable: list[int]) -> Iterator[Rollout]:
    for number, line in _lines(folder):
        try:
            episode = vf.WireEpisode.model_validate(json.loads(line))
        except (ValueError, RecursionError):
            unreadable.append(number)
        else:
            yield from [Rollout(episode, t) for t in episode.traces] or [Rollout(episode, None)]


def _refuse_no_run(folder: Path) -> None:
    if not folder.is_dir():
        raise UserError(f"no folder {str(folder)!r}: name a run directory")
    if not (folder / TRACES_FILE).is_file():
        raise UserError(f"no {TRACES_FILE} in {str(folder)!r}: name a run directory")


def episode_ids(folder: Path) -> frozenset[str]:
    """Of what was played before; a line that is no episode is played again, and has none."""
    if not (folder / TRACES_FILE).is_file():
        return frozenset()
    return frozenset(found for _, line in _lines(folder) if (found := _id(line)))


def _id(line: bytes) -> str | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row.get("id") if isinstance(row, dict) else None


def _lines(folder: Path) -> Iterator[tuple[int, bytes]]:
    with (folder / TRACES_FILE).open("rb") as file:
        yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())


def place(rollout: Rollout) -> tuple[object, ...]:
    data = rollout.episode.task.data
    starts = [trace.timing.start for trace in rollout.episode.traces]
    return (
        data.idx is None,
        data.idx or 0,
        data.id or "",
        min(starts, default=float("inf")),
        rollout.episode.id,
        rollout.trace.timing.start if rollout.trace else 0,
        rollout.trace.id if rollout.trace else "",
    )


def uncalled_tools(traces: Sequence[vf.WireTrace]) -> set[str]:
    """The tools that were offered, where no rollout called one; else none."""
    if any(m.tool_calls for trace in traces for m in trace.assistant_messages):
        return set()
    return {tool.name for trace in traces for tool in trace.tools}
