"""A layer's records as inline rows."""

from __future__ import annotations

from typing import Any

from inward_charts.figure import Axis, Figure, Layer, Record

Json = dict[str, Any]


def series_field(figure: Figure) -> str:
    return figure.series_title.lower().replace(" ", "_")


def values(figure: Figure, layer: Layer) -> list[Json]:
    measure = figure.right if layer.right and figure.right else figure.y
    if layer.mark == "rule":
        return [{measure.field: record.y} for record in layer.records]
    return [datum(figure, layer, measure, record) for record in layer.records]


def datum(figure: Figure, layer: Layer, measure: Axis, record: Record) -> Json:
    row: Json = {}
    if figure.x.bins:
        row |= {"from": record.low, "to": record.high}
    else:
        row[figure.x.field] = record.x
    if record.series is not None:
        row[series_field(figure)] = record.series
    if record.panel is not None:
        row["panel"] = record.panel
    if layer.mark in ("interval", "band"):
        row |= {"low": record.low, "high": record.high}
    else:
        row[measure.field] = record.y
    if record.size is not None:
        row["size"] = record.size
    if record.shift is not None:
        row["shift"] = record.shift
    if layer.mark == "arc":
        row["order"] = figure.legend.index(str(record.x))
    return row
