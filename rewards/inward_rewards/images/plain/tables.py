"""Markdown tables."""

from __future__ import annotations

from inward_rewards.images.plain.chart import Observation
from inward_rewards.images.plain.collect import MAX_OBSERVATIONS, observe, series_of
from inward_rewards.images.plain.facts import Fact
from inward_rewards.images.plain.numbers import number, plain_number
from inward_rewards.images.plain.state import State
from inward_rewards.images.plain.text import Table


def table(state: State, table: Table) -> None:
    """A markdown table: names in the first column, a series a further column."""
    state.chart.statements += 1
    head = [state.unquote(cell) for cell in table.head]
    chart = state.chart
    rows = [[state.unquote(cell) for cell in row] for row in table.rows]
    columns = range(1, len(head))
    if not columns:
        chart.ignored += 1
        return
    wide = len(head) > 2
    if not chart.x.title and head[0]:
        chart.x.title = head[0]
    if not wide and not chart.y.title:
        chart.y.title = head[1]
    for column in columns:
        series = series_of(state, head[column] if wide else state.head, None)
        for row in rows[: max(0, MAX_OBSERVATIONS - chart.observed)]:
            value = number(row[column]) if column < len(row) else None
            if value is None or not row[0]:
                continue
            if chart.kind == "point" and plain_number(row[0]) is not None:
                series.observations.append(Observation(plain_number(row[0]), value.value))
            elif chart.kind == "cell":
                # The table's rows run along y.
                observe(state, series_of(state, row[0], None), head[column], Fact(None, value))
            else:
                observe(state, series, row[0], Fact(row[0], value))
