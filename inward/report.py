"""The table that stands at the end of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import verifiers.v1 as vf
from inward_retrieval.bootstrap import clustered_mean
from rich.console import Console
from rich.table import Table
from verifiers.v1.utils.trace_store import TRACES_FILE, read_episodes

from inward.errors import UserError
from inward.fronts import Column, Front


@dataclass(frozen=True)
class Run:
    """The rollouts that a run directory holds."""

    traces: list[vf.WireTrace]
    """Completed rollouts: the only ones that are scored."""
    faults: list[str]
    """One line for each failed episode."""

    @classmethod
    def read(cls, folder: Path) -> Run:
        if not (folder / TRACES_FILE).is_file():
            raise UserError(f"no {TRACES_FILE} in {str(folder)!r}: name a run directory")
        traces, faults = [], []
        for episode in read_episodes(folder, vf.WireTrace):
            if episode.ok:
                traces += episode.traces
            else:
                faults.append(_fault(episode))
        return cls(traces, faults)


def _fault(episode: vf.WireEpisode) -> str:
    errors = [*episode.errors, *(e for trace in episode.traces for e in trace.errors)]
    if not errors:
        return "unfinished"
    lines = errors[-1].message.strip().splitlines() or [""]
    return f"{errors[-1].type}: {lines[-1]}"[:300]


def _question(trace: vf.WireTrace) -> object:
    """What the interval resamples: rollouts of one question are not independent."""
    return trace.task.key or trace.task.data.idx


def _reward(trace: vf.WireTrace) -> float | None:
    return trace.reward


def table(run: Run, front: Front | None, *, title: str, wall_s: float | None) -> Table:
    """Headline and columns of the environment with intervals, then what every run has."""
    out = Table(title=title, title_justify="left")
    out.add_column("")
    out.add_column("mean", justify="right")
    out.add_column("95 % interval", justify="right")
    out.add_column("questions", justify="right")
    columns: Sequence[Column] = front.COLUMNS if front is not None else [("reward", _reward)]
    for number, (label, value) in enumerate(columns):
        scored = [(v, _question(trace)) for trace in run.traces if (v := value(trace)) is not None]
        if not scored:
            out.add_row(label, "–", "–", "0")
            continue
        values, questions = zip(*scored, strict=True)
        mean = clustered_mean(values, questions)
        interval = f"{mean.low:.3f} – {mean.high:.3f}"
        out.add_row(label, f"{mean.value:.3f}", interval, str(len(set(questions))))
        if number == 0 and front is not None and front.CHANCE is not None:
            out.add_row("  chance", f"{front.CHANCE:.3f}", "", "")
    out.add_section()
    total = len(run.traces) + len(run.faults)
    out.add_row("rollouts", f"{len(run.traces)} of {total}", "", "")
    out.add_row("errors", str(len(run.faults)), "", "")
    usages = [usage for trace in run.traces if (usage := trace.usage) is not None]
    prompt, completion = (
        sum(u.input_tokens for u in usages),
        sum(u.completion_tokens for u in usages),
    )
    tokens = f"{prompt:,} in, {completion:,} out" if usages else "not reported by the endpoint"
    out.add_row("tokens", tokens, "", "")
    if wall_s is not None:
        rate = f"{len(run.traces) / wall_s:.2g} rollouts/s"
        out.add_row("wall time", f"{wall_s:.1f} s", rate, "")
    return out


def print_report(run: Run, front: Front | None, *, title: str, wall_s: float | None) -> None:
    console = Console()
    console.print()
    console.print(table(run, front, title=title, wall_s=wall_s))
    for note in getattr(front, "notes", lambda _: [])(run.traces):
        console.print(note, highlight=False)
    for line, count in Counter(run.faults).most_common(3):
        console.print(f"{count} failed: {line}", highlight=False, markup=False)
