"""What the eval plugins of environments over charts share. It is loaded by `inward` alone."""

from __future__ import annotations

import verifiers.v1 as vf
from inward_rewards.charts import Match, Rendered, Row, Scene, shared_renderer, table_matches

from inward.eval_plugin import Grid, Panel, task_field

HEAD = ("place", "true", "drawn", "credit")
MAX_ROWS = 300
"""Of a table that is shown beside another."""


def table_panels(trace: vf.WireTrace, drawn: Rendered | None) -> list[Panel]:
    """The table as drawn beside the true one, paired as the reward pairs them; the rows with less
    than full credit stand out. None where the truth is not known, nothing is drawn, or a table is
    long."""
    truth = task_field(trace, "truth")
    if truth is None or drawn is None:
        return []
    scene: Scene = shared_renderer().render_sync(truth).scene
    if not scene.rows or max(len(scene.rows), len(drawn.scene.rows)) > MAX_ROWS:
        return []
    matches = table_matches(scene.rows, drawn.scene.rows)
    rows = [
        (_place(m.reference), _number(m.reference), _drawn(m), f"{m.credit:.2f}") for m in matches
    ]
    marked = [place for place, match in enumerate(matches) if match.credit < 0.995]
    return [Grid("Table as drawn, beside the truth", HEAD, rows, marked)]


def _drawn(match: Match) -> str:
    """The number, and its place where that is another one."""
    number, place = _number(match.candidate), _place(match.candidate)
    return number if place in ("", _place(match.reference)) else f"{number} at {place}"


def _place(row: Row | None) -> str:
    return "" if row is None else " · ".join(str(key) for key in row.keys)


def _number(row: Row | None) -> str:
    return "–" if row is None else f"{row.value:.6g}"
