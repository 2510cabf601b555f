"""The summary of a run as a person reads it: a table, and lines below it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inward.summary import Score, Summary, versions
from inward.terminal import one_line, printable
from inward.trainability import Card

MAX_CAUSES = 10
"""Causes of failures that get a line of their own."""
UNKNOWN = "–"
PLAIN_WIDTH = 240
"""Columns where the output is no terminal: no cell is cut or wrapped."""


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
    counts = f"{tokens[0]:,} in, {tokens[1]:,} out" if tokens else "not reported by the endpoint"
    _add(out, "tokens", counts)
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
        return score.label, UNKNOWN, UNKNOWN, "0", "0"
    known = math.isfinite(mean.low)
    interval = f"{mean.low:.3f} – {mean.high:.3f}" if known else UNKNOWN
    return score.label, f"{mean.value:.3f}", interval, str(score.questions), str(mean.clusters)


def print_summary(summary: Summary) -> None:
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print()
    console.print(table(summary))
    if summary.card is not None:
        console.print(card_table(summary.card))
    for line in below(summary):
        console.print(Text(printable(line)), soft_wrap=True)


def card_table(card: Card) -> Table:
    """The trainability card."""
    title = f"trainability · {card.groups} groups, {card.rollouts} rollouts"
    out = Table(title=Text(title), title_justify="left", show_header=False)
    out.add_column("")
    out.add_column("", justify="right")
    best = " · ".join(f"{k}: {value:.3f}" for k, value in card.pass_at.items())
    _add(out, "groups without spread", _share(card.without_spread / card.groups))
    _add(out, "pass@k" if card.solved_in_part is not None else "best of k", best or UNKNOWN)
    _add(out, "tasks solved in 20 to 80 % of rollouts", _share(card.solved_in_part))
    _add(out, "variance of the reward within tasks", _figure(card.variance_within))
    _add(out, "variance of the reward between tasks", _figure(card.variance_between))
    if card.noise_floor is not None:
        _add(out, "noise floor of the reward", _figure(card.noise_floor))
    _add(out, "truncated", _share(card.truncated))
    better, worse = (
        ("right", "wrong") if card.solved_in_part is not None else ("better half", "worse half")
    )
    _add(out, f"tokens per rollout, {better}", _figure(card.length_right, 0))
    _add(out, f"tokens per rollout, {worse}", _figure(card.length_wrong, 0))
    return out


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0%}"


def _figure(value: float | None, digits: int = 4) -> str:
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def below(summary: Summary) -> list[str]:
    """The verdict of the trainability card, what became of the rollouts, notes, and why rollouts
    failed."""
    lines = [summary.card.verdict] if summary.card else []
    if len(summary.outcomes) > 1:
        lines.append(", ".join(f"{g.kind.value} {len(g.numbers)}" for g in summary.outcomes))
    lines += summary.notes
    lines += [f"{count} failed: {cause}" for cause, count in summary.causes[:MAX_CAUSES]]
    if rest := summary.causes[MAX_CAUSES:]:
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
