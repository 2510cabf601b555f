"""A figure's table as drawn, in the convention of `inward_rewards.charts.reading.scene.Row`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from inward_rewards.charts import Key, Row, meaning, unique_rows

from inward_charts.figure import Figure, Layer, Note, Record, Sheet


def table(figure: Figure | Sheet) -> tuple[Row, ...]:
    """Every number that `figure` shows, with its keys; a panel of a sheet is one by its title."""
    if isinstance(figure, Sheet):
        return unique_rows(
            replace(row, keys=(*row.keys, meaning(" ".join(panel.title))))
            for panel in figure.figures
            for row in table(panel)
        )
    layers = (
        row
        for layer in figure.layers
        for row in (_boxes(layer) if layer.mark == "box" else _rows(figure, layer))
    )
    return unique_rows((*layers, *(row for note in figure.notes for row in _noted(note))))


def _noted(note: Note) -> Iterator[Row]:
    """The numbers of the lines and of the ends of the regions that are marked on a plot."""
    match note.sort:
        case "level":
            yield Row((), note.y)
        case "moment":
            yield Row((), note.x)
        case "span":
            yield Row((), note.x)
            yield Row((), note.x2)


def _rows(figure: Figure, layer: Layer) -> list[Row]:
    rows = []
    # A sector shows its part of the circle.
    whole = sum(record.y or 0.0 for record in layer.records) if layer.mark == "arc" else 1.0
    for record in layer.records:
        keys = _keys(layer, record)
        for value in (record.y, *_ends(layer, record)):
            if value is not None:
                rows.append(Row(keys, float(value) / whole))
        if record.size is not None and record.y is not None:
            rows.append(Row((record.x, float(record.y), *keys[1:]), record.size))
    return rows


def _ends(layer: Layer, record: Record) -> tuple[float | None, ...]:
    return (record.low, record.high) if layer.mark in ("interval", "band") else ()


def _keys(layer: Layer, record: Record) -> tuple[Key, ...]:
    keys: list[Key] = []
    if layer.mark != "rule":
        keys.append(meaning(record.x) if isinstance(record.x, str) else float(record.x))
    keys += [meaning(k) for k in (record.series, layer.name, record.panel) if k is not None]
    return tuple(keys)


def _boxes(layer: Layer) -> list[Row]:
    samples: dict[Key, list[float]] = defaultdict(list)
    for record in layer.records:
        if record.y is not None:
            samples[meaning(str(record.x))].append(record.y)
    return [Row((name,), value) for name, s in samples.items() for value in box_numbers(sorted(s))]


def box_numbers(sample: list[float]) -> list[float]:
    """Whiskers, quartiles, median and outliers as Tukey draws them (Vega's R-7 quantiles)."""
    q1, median, q3 = (_quantile(sample, part) for part in (0.25, 0.5, 0.75))
    reach = 1.5 * (q3 - q1)
    inside = [v for v in sample if q1 - reach <= v <= q3 + reach]
    outside = [v for v in sample if not q1 - reach <= v <= q3 + reach]
    return [inside[0], q1, median, q3, inside[-1], *outside]


def _quantile(sample: list[float], part: float) -> float:
    place = part * (len(sample) - 1)
    low = math.floor(place)
    high = min(low + 1, len(sample) - 1)
    return sample[low] + (sample[high] - sample[low]) * (place - low)
