"""What a run came to: the table that stands at its end, and the same as JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from inward_statistics import Mean, clustered_mean
from rich.console import Console
from rich.table import Table
from rich.text import Text

from inward import causes
from inward.plugin import Column, EvalPlugin, question
from inward.runs import Run
from inward.terminal import one_line, printable

SHOWN_CAUSES = 10
PLAIN_WIDTH = 240
"""Columns where the output is no terminal: no cell is cut or wrapped."""


@dataclass(frozen=True)
class Score:
    """One figure of the environment."""

    label: str
    mean: Mean | None
    """None where no rollout has it."""
    questions: int
    chance: float | None


@dataclass(frozen=True)
class Played:
    """What was played now, which after a resume is not all of the run."""

    rollouts: int
    wall_s: float


@dataclass(frozen=True)
class Summary:
    """Everything that the table says."""

    environment: str
    model: str
    traces: Path
    scores: list[Score]
    scored: int
    failed: int
    unreadable: list[int]
    tokens: tuple[int, int] | None
    """In and out; None where the endpoint did not report them."""
    played: Played
    notes: list[str]
    causes: list[tuple[str, int]]


def summarise(
    run: Run,
    plugin: EvalPlugin | None,
    *,
    environment: str,
    model: str,
    traces: Path,
    played: Played,
) -> Summary:
    columns: Sequence[Column] = plugin.columns if plugin else [("reward", lambda t: t.reward)]
    cluster = plugin.cluster if plugin else question
    usages = [usage for trace in run.scored if (usage := trace.usage) is not None]
    return Summary(
        environment=environment,
        model=model,
        traces=traces,
        scores=[
            _score(column, run.scored, cluster, plugin.chance if plugin and first else None)
            for first, column in zip([True] + [False] * len(columns), columns, strict=False)
        ],
        scored=len(run.scored),
        failed=len(run.failed),
        unreadable=run.unreadable,
        tokens=(sum(u.input_tokens for u in usages), sum(u.completion_tokens for u in usages))
        if usages
        else None,
        played=played,
        notes=[*tool_notes(run.scored), *(plugin.notes(run.scored) if plugin else [])],
        causes=causes.counted(run.failed),
    )


def _score(
    column: Column, traces: Sequence[vf.WireTrace], cluster: Any, chance: float | None
) -> Score:
    label, value = column
    found = [(v, trace) for trace in traces if (v := value(trace)) is not None]
    if not found:
        return Score(label, None, 0, chance)
    mean = clustered_mean([v for v, _ in found], [cluster(trace) for _, trace in found])
    return Score(label, mean, len({question(trace) for _, trace in found}), chance)


def tool_notes(traces: Sequence[vf.WireTrace]) -> list[str]:
    """Says so where tools were offered and nobody called one."""
    offered = Counter(tool.name for trace in traces for tool in trace.tools)
    called = any(m.tool_calls for trace in traces for m in trace.assistant_messages)
    if not offered or called:
        return []
    count = sum(1 for trace in traces if trace.tools)
    return [
        f"No rollout called a tool, though {', '.join(sorted(offered))} was offered in {count}:"
        " look whether the server of the model parses tool calls."
    ]


def table(summary: Summary) -> Table:
    """Headline and columns of the environment with intervals, then what every run has."""
    title = one_line(f"{summary.environment} · {summary.model}")
    out = Table(title=Text(title), title_justify="left")
    out.add_column("")
    for head in ("mean", "95 % interval", "questions", "clusters"):
        out.add_column(head, justify="right")
    for score in summary.scores:
        _add(out, *_cells(score))
        if score.chance is not None:
            _add(out, "  chance", f"{score.chance:.3f}")
    out.add_section()
    _add(out, "rollouts", f"{summary.scored} of {summary.scored + summary.failed}")
    _add(out, "errors", str(summary.failed))
    tokens = summary.tokens
    told = f"{tokens[0]:,} in, {tokens[1]:,} out" if tokens else "not reported by the endpoint"
    _add(out, "tokens", told)
    played = summary.played
    rate = f"{played.rollouts / played.wall_s:.2g} rollouts/s"
    _add(out, "wall time", f"{played.wall_s:.1f} s", rate if played.rollouts else "none played now")
    _add(out, "versions", " · ".join(f"{name} {v}" for name, v in versions().items()))
    return out


def _add(out: Table, *cells: str) -> None:
    """Cells are text: what a model or a user wrote is never read as markup."""
    out.add_row(*(Text(printable(cell)) for cell in cells))


def _cells(score: Score) -> tuple[str, ...]:
    mean = score.mean
    if mean is None:
        return score.label, "–", "–", "0", "0"
    known = math.isfinite(mean.low)
    interval = f"{mean.low:.3f} – {mean.high:.3f}" if known else "–"
    return score.label, f"{mean.value:.3f}", interval, str(score.questions), str(mean.clusters)


def print_report(summary: Summary) -> None:
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print()
    console.print(table(summary))
    for line in below(summary):
        console.print(Text(printable(line)), soft_wrap=True)


def below(summary: Summary) -> list[str]:
    """Notes, and why rollouts failed."""
    lines = [*summary.notes]
    lines += [f"{count} failed: {cause}" for cause, count in summary.causes[:SHOWN_CAUSES]]
    if rest := summary.causes[SHOWN_CAUSES:]:
        lines.append(f"{sum(count for _, count in rest)} failed of {len(rest)} other causes")
    if summary.unreadable:
        lines.append(unreadable(summary.traces, summary.unreadable))
    return lines


def unreadable(traces: Path, lines: Sequence[int]) -> str:
    shown = ", ".join(map(str, lines[:5])) + (", …" if len(lines) > 5 else "")
    return (
        f"{len(lines)} unreadable in {traces} (line {shown}), a write that was cut short:"
        " a resumed run plays it again"
    )


def as_json(summary: Summary, status: int) -> dict[str, Any]:
    """What the table and the lines below it say; README has the schema."""
    played = summary.played
    return {
        "environment": summary.environment,
        "model": summary.model,
        "traces": str(summary.traces),
        "scores": [_score_json(score) for score in summary.scores],
        "rollouts": {
            "scored": summary.scored,
            "failed": summary.failed,
            "unreadable": len(summary.unreadable),
            "played_now": played.rollouts,
        },
        "failures": [{"cause": cause, "count": count} for cause, count in summary.causes],
        "tokens": dict(zip(("input", "output"), summary.tokens, strict=True))
        if summary.tokens
        else None,
        "wall_s": round(played.wall_s, 3),
        "notes": summary.notes,
        "versions": versions(),
        "status": status,
    }


def _score_json(score: Score) -> dict[str, Any]:
    mean = score.mean
    known = mean is not None and math.isfinite(mean.low)
    return {
        "label": score.label,
        "mean": mean.value if mean else None,
        "interval": [mean.low, mean.high] if mean and known else None,
        "rollouts": mean.count if mean else 0,
        "questions": score.questions,
        "clusters": mean.clusters if mean else 0,
        "chance": score.chance,
    }


def versions() -> dict[str, str]:
    return {name: version(name) for name in ("inward", "verifiers")}
