"""What a run came to, as data and as JSON; `inward.table` shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from inward_statistics import Mean, clustered_mean

from inward import causes, taxonomy
from inward.eval_plugin import Column, EvalPlugin, question
from inward.floors import Measured
from inward.runs import Run, uncalled_tools
from inward.trainability import Card, card_json, trainability


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
    """Everything that the table and the lines below it say."""

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
    outcomes: list[taxonomy.Group]
    card: Card | None
    """None where no task has two scored rollouts."""
    floors: list[Score] | None
    """None where they were not asked for."""


def summarise(
    run: Run,
    plugin: EvalPlugin | None,
    *,
    environment: str,
    model: str,
    traces: Path,
    played: Played,
    floors: Measured | None = None,
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
        notes=[
            *tool_notes(run.scored),
            *(plugin.notes(run.scored) if plugin else []),
            *(floors.notes if floors else []),
        ],
        causes=causes.counted(run.failed),
        outcomes=taxonomy.grouped(run, plugin),
        card=trainability(run, plugin),
        floors=None
        if floors is None
        else [Score(one.label, one.mean, one.mean.count, None) for one in floors.floors],
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
    offered = uncalled_tools(traces)
    if not offered:
        return []
    count = sum(1 for trace in traces if trace.tools)
    return [
        f"No rollout called a tool, though {', '.join(sorted(offered))} was offered in {count}:"
        " look whether the server of the model parses tool calls."
    ]


def as_json(summary: Summary, status: int) -> dict[str, Any]:
    """What the table and the lines below it say; docs/commands.md has the schema."""
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
        "outcomes": taxonomy.as_json(summary.outcomes),
        "tokens": dict(zip(("input", "output"), summary.tokens, strict=True))
        if summary.tokens
        else None,
        "wall_s": round(played.wall_s, 3),
        "notes": summary.notes,
        "floors": None
        if summary.floors is None
        else [_score_json(score) for score in summary.floors],
        "trainability": card_json(summary.card) if summary.card else None,
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
