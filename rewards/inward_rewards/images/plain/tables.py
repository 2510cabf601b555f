"""Markdown tables: which column holds the names, which the numbers, and which neither."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inward_rewards.images.plain.boxes import from_cells
from inward_rewards.images.plain.chart import Number, Observation, around
from inward_rewards.images.plain.collect import MAX_OBSERVATIONS, observe, series_of
from inward_rewards.images.plain.facts import Fact, facts
from inward_rewards.images.plain.numbers import (
    COLOR,
    color,
    iso_date,
    number,
    numbers,
    plain_number,
)
from inward_rewards.images.plain.runs import is_time
from inward_rewards.images.plain.state import State
from inward_rewards.images.plain.text import Table

MAX_COLUMNS = 60
_COUNTER = re.compile(r"^(?:#|no\.?|nr\.?|rank|index|id|s\.? ?no\.?|)$", re.IGNORECASE)
_LOOKS = re.compile(r"\b(?:colou?r|marker|style|notes?|comments?|description|trend)s?\b", re.I)
_TOTAL = re.compile(r"^(?:grand )?(?:total|sum|overall)s?$", re.IGNORECASE)
_CHANGE = re.compile(
    r"^(?:the )?(?:(?:net|percent|%) )?(?:change|differences?|diff\.?|delta|Δ)\b", re.I
)
"""Of a column that compares two others."""
_ENDS = (
    re.compile(r"\b(?:low|lower|min|minimum|from)\b", re.IGNORECASE),
    re.compile(r"\b(?:high|upper|max|maximum|to)\b", re.IGNORECASE),
)


@dataclass(frozen=True)
class _Column:
    title: str
    cells: list[str]
    numeric: bool


def table(state: State, table: Table) -> None:
    """Reads a table. Names stand in the first column of words, a series in each one of numbers;
    rows of x and y in a scatter plot, of names and one number for each pair of names, and a table
    whose head holds the places along x are known as such."""
    state.chart.statements += 1
    columns = _columns(state, table)
    if len(columns) < 2:
        state.chart.ignored += 1
        return
    words = [column for column in columns if not column.numeric]
    values = [column for column in columns if column.numeric]
    if state.chart.kind == "box" and words and _boxes(state, words[0], values):
        return
    if state.chart.kind == "point" and _points(state, words, values):
        return
    if columns[0].numeric:
        # The numbers along x.
        words, values = [columns[0], *words], values[1:]
    if not values:
        state.chart.ignored += 1
        return
    repeated = len(words) >= 2 and any(len(set(c.cells)) < len(c.cells) for c in words[:2])
    if repeated and len(values) == 1:
        _long(state, words[0], words[1], values[0])
    elif _lies(state, values, words[0]):
        _lying(state, words[0], values)
    else:
        _wide(state, words[0], values)


def _columns(state: State, table: Table) -> list[_Column]:
    """The columns that hold names or numbers of the chart."""
    head = [state.unquote(cell) for cell in table.head[:MAX_COLUMNS]]
    rows = [[state.unquote(cell) for cell in row] for row in table.rows[:MAX_OBSERVATIONS]]
    found = []
    for place, title in enumerate(head):
        cells = [row[place].strip() if place < len(row) else "" for row in rows]
        filled = [cell for cell in cells if cell.strip(" -–—")]
        counted = [str(i) for i in range(1, len(cells) + 1)]
        if place == 0 and len(head) > 2 and _COUNTER.match(title) and cells == counted:
            continue
        if place > 0 and (_LOOKS.search(title) or _all_colors(filled)):
            continue
        if filled and _all_colors(filled):
            continue
        read = [_value(cell) is not None for cell in filled]
        numeric = bool(read) and sum(read) >= 0.6 * len(read)
        dates = bool(re.search(r"year|date|month", title, re.IGNORECASE))
        dates = dates and state.chart.kind != "point" and all(map(is_time, filled))
        found.append(_Column(title, cells, numeric and not dates))
    _note_colors(state, head, rows, found)
    if sum(c.numeric for c in found) >= 3:
        found = [c for c in found if not (c.numeric and _CHANGE.match(c.title))]
    return [c for c in found if not (_TOTAL.match(c.title) and _adds_up(c, found))]


def _all_colors(cells: list[str]) -> bool:
    return bool(cells) and all(
        (match := COLOR.search(cell)) is not None and len(cell) - len(match.group()) <= 8
        for cell in cells
    )


def _note_colors(
    state: State, head: list[str], rows: list[list[str]], columns: list[_Column]
) -> None:
    """The colour of each row, where a column tells it."""
    names = next((c for c in columns if not c.numeric), None)
    place = next((i for i, title in enumerate(head) if re.search(r"\bcolou?r", title, re.I)), None)
    if names is None or place is None:
        return
    for name, row in zip(names.cells, rows, strict=True):
        if place < len(row) and (shade := color(row[place])):
            state.chart.colors[name.lower()] = shade


def _adds_up(total: _Column, columns: list[_Column]) -> bool:
    others = [c for c in columns if c.numeric and c is not total]
    if not total.numeric or len(others) < 2:
        return False
    for place, cell in enumerate(total.cells):
        parts = [_value(c.cells[place]) for c in others]
        whole = _value(cell)
        if whole is None or None in parts:
            return False
        if abs(sum(p.value for p in parts if p) - whole.value) > 0.02 * abs(whole.value) + 1e-9:
            return False
    return True


def _value(cell: str) -> Number | None:
    """The number of a cell such as `~$98,000`, `3.5 kg`, `40 (31 %)`, `12 300`, `12,5`."""
    cell = re.sub(r"(?<=\d)(?<!\d{4}) (?=\d{3}(?!\d))", "", cell)
    cell = re.sub(r"^([^\w.,]*\d+),(\d{1,2})(?![\d,])", r"\1.\2", cell)
    if found := number(cell):
        return found
    if len(cell) > 60 or not re.match(r"^\W*(?:(?:about|approx\w*\.?|around)\s+)?[-−$€£]?\d", cell):
        return None
    first = numbers(re.sub(r"^[~≈≅<>\s]+", "", cell))
    return first[0] if first else None


def _fact(state: State, cell: str) -> Fact | None:
    value = _value(cell)
    if value is None:
        return None
    spread = re.search(r"(?:±|\+/-)\s*([\d.,]+)", cell)
    reach = number(spread[1]) if spread else None
    return Fact(None, value, interval=None if reach is None else around(value, reach))


def _wide(state: State, names: _Column, values: list[_Column]) -> None:
    """A row a name, a column a series."""
    chart = state.chart
    chart.x.title = chart.x.title or names.title
    if len(values) == 3 and (interval := _interval(values)):
        middle, low, high = interval
        series = series_of(state, state.head, None)
        for name, cell, bottom, top in zip(
            names.cells, middle.cells, low.cells, high.cells, strict=True
        ):
            value, ends = _value(cell), (_value(bottom), _value(top))
            if value and ends[0] and ends[1]:
                observe(state, series, name, Fact(name, value, interval=(ends[0], ends[1])))
        return
    if len(values) == 1:
        chart.y.title = chart.y.title or values[0].title
    for column in values:
        title, looks = _looks(column.title) if len(values) > 1 else (state.head, "")
        series = series_of(state, title, None, looks)
        for name, cell in zip(names.cells, column.cells, strict=True):
            fact = _fact(state, cell)
            if fact is None or not name or chart.observed >= MAX_OBSERVATIONS:
                continue
            if chart.kind == "cell":
                # The table's rows run along y.
                observe(state, series_of(state, name, None), column.title, fact)
            else:
                observe(state, series, name, fact)


def _looks(title: str) -> tuple[str, str]:
    """The name of a column, and what its head says of looks: `Smooth (dashed blue)`."""
    aside = re.search(r"\s*\(([^()]{1,40})\)$", title)
    if aside and (
        COLOR.search(aside[1])
        or re.search(r"\b(?:dashed|dotted|solid|light|dark|hatched|striped|plain)\b", aside[1])
    ):
        return title[: aside.start()], aside[1]
    return title, ""


def _interval(values: list[_Column]) -> tuple[_Column, _Column, _Column] | None:
    low = next((c for c in values if _ENDS[0].search(c.title)), None)
    high = next((c for c in values if _ENDS[1].search(c.title) and c is not low), None)
    rest = [c for c in values if c is not low and c is not high]
    return (rest[0], low, high) if low and high and rest else None


def _long(state: State, first: _Column, second: _Column, values: _Column) -> None:
    """A row for each pair of names."""
    chart = state.chart
    series, places = (first, second)
    if first.numeric or (is_time(first.cells[0]) and not is_time(second.cells[0])):
        series, places = second, first
    chart.x.title = chart.x.title or places.title
    chart.y.title = chart.y.title or values.title
    chart.legend_title = chart.legend_title or series.title
    for name, place, cell in zip(series.cells, places.cells, values.cells, strict=True):
        fact = _fact(state, cell)
        if fact is not None and name and place and chart.observed < MAX_OBSERVATIONS:
            observe(state, series_of(state, name, None), place, fact)


def _lies(state: State, values: list[_Column], names: _Column) -> bool:
    """Whether the head of the table holds the places along x."""
    if len(values) < 2 or state.chart.kind == "cell":
        return False
    places = all(
        plain_number(c.title) is not None or iso_date(c.title) or is_time(c.title) for c in values
    )
    if len(names.cells) == 1:
        return True
    named = not all(plain_number(name) is not None or is_time(name) for name in names.cells)
    return places and named and state.chart.kind in ("line", "area", "step")


def _lying(state: State, names: _Column, values: list[_Column]) -> None:
    chart = state.chart
    chart.x.title = chart.x.title or names.title
    for place, name in enumerate(names.cells):
        if len(names.cells) == 1:
            chart.y.title = chart.y.title or name
        series = series_of(state, name if len(names.cells) > 1 else state.head, None)
        for column in values:
            fact = _fact(state, column.cells[place])
            if fact is not None and chart.observed < MAX_OBSERVATIONS:
                observe(state, series, column.title, fact)


def _points(state: State, words: list[_Column], values: list[_Column]) -> bool:
    """Rows of x and y, and of a size where there is a third number beside a name."""
    if len(values) < 2:
        return _listed_points(state, [*words, *values])
    chart = state.chart
    sized = len(values) == 3 and (words or re.search(r"size|area|bubble", values[2].title, re.I))
    if len(values) > 2 and not sized:
        return _point_series(state, values)
    x, y = values[:2]
    chart.x.title, chart.y.title = chart.x.title or x.title, chart.y.title or y.title
    names = words[0].cells if words else [""] * len(x.cells)
    many = len(set(names)) < len(names)
    for row, name in enumerate(names):
        at, value = _value(x.cells[row]), _value(y.cells[row])
        size = _value(values[2].cells[row]) if sized else None
        if at and value and chart.observed < MAX_OBSERVATIONS:
            series = series_of(state, name if many else state.head, None)
            series.observations.append(
                Observation(
                    at.value,
                    value.value,
                    size=size.value if size else None,
                    percent=value.percent,
                )
            )
    return True


def _listed_points(state: State, words: list[_Column]) -> bool:
    """A row a series, its points in one cell."""
    if not words:
        return False
    said = False
    for column in words[1:] or words:
        for row, cell in enumerate(column.cells):
            points = [fact for fact in facts(cell) if fact.label and fact.value]
            if cell.count("(") != len(points) or not points:
                continue
            series = series_of(state, words[0].cells[row] if column is not words[0] else "", None)
            for fact in points:
                if state.chart.observed < MAX_OBSERVATIONS:
                    observe(state, series, str(fact.label), fact)
                    said = True
    return said


def _point_series(state: State, values: list[_Column]) -> bool:
    """A column of x, and one of y for each series."""
    chart = state.chart
    chart.x.title = chart.x.title or values[0].title
    for column in values[1:]:
        series = series_of(state, column.title, None)
        for place, cell in zip(values[0].cells, column.cells, strict=True):
            x, y = _value(place), _value(cell)
            if x and y and chart.observed < MAX_OBSERVATIONS:
                series.observations.append(Observation(x.value, y.value, percent=y.percent))
    return True


def _boxes(state: State, names: _Column, values: list[_Column]) -> bool:
    """A row a box, its five numbers in columns."""
    said = False
    for row, name in enumerate(names.cells):
        cells = [(c.title, found.value) for c in values if (found := _value(c.cells[row]))]
        fact = from_cells(cells)
        if fact is not None and name:
            observe(state, series_of(state, "", None), name, fact)
            said = True
    return said
