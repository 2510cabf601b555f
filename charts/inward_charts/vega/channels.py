"""What a layer's records are placed, coloured and told apart by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from inward_charts.figure import Axis, Figure, Layer, Ticks
from inward_charts.layout import Layout
from inward_charts.style import CORNERS, DASHES, SHAPES
from inward_charts.vega.values import Json, series_field


def positions(figure: Figure, layer: Layer, layout: Layout) -> Json:
    """x and y (or theta), with the axes swapped for a horizontal chart."""
    x, y = figure.x, figure.right if layer.right and figure.right else figure.y
    ticks = layout.right if layer.right and layout.right else layout.y
    if layer.mark == "arc":
        # Without an order of their own, the sectors and their numbers would be stacked differently.
        return {
            "theta": {"field": y.field, "type": "quantitative", "stack": True},
            "order": {"field": "order", "type": "quantitative"},
        }
    if layer.mark == "cell":
        rows: Json = {
            "field": series_field(figure),
            "type": "nominal",
            "title": figure.series_title,
            "sort": list(figure.series),
        }
        return {"x": _category(figure, x, layout), "y": rows}
    if layer.mark == "rule":
        return {"y": number(figure, y, ticks, layer)}
    across: Json
    if x.type == "category":
        across = _category(figure, x, layout)
    elif x.type == "time":
        across = _time(figure, x, layout)
    else:
        assert layout.x is not None
        across = number(figure, x, layout.x, None)
    ends: Json = {}
    measured = number(figure, y, ticks, layer)
    if any(record.shift is not None for record in layer.records):
        offset = {"field": "shift", "type": "quantitative", "scale": {"domain": [-0.6, 1.6]}}
        ends = {"yOffset" if figure.horizontal else "xOffset": offset}
    if layer.mark in ("interval", "band"):
        measured["field"] = "low"
        ends = {"x2" if figure.horizontal else "y2": {"field": "high"}}
    if x.bins:
        across |= {"field": "from", "bin": "binned"}
        ends = {"x2": {"field": "to"}}
    if figure.horizontal:
        return {"y": across, "x": measured} | ends
    return {"x": across, "y": measured} | ends


def _category(figure: Figure, axis: Axis, layout: Layout) -> Json:
    channel: Json = {
        "field": axis.field,
        "type": "nominal",
        "title": axis.title,
        "sort": list(axis.members),
    }
    if any(layer.mark == "bar" for layer in figure.layers):
        gap = figure.style.gap
        channel["scale"] = {"paddingInner": gap, "paddingOuter": gap / 2}
    if not figure.horizontal:
        channel["axis"] = {"labelAngle": layout.angle}
    return channel


def _time(figure: Figure, axis: Axis, layout: Layout) -> Json:
    days = [datetime.fromisoformat(member).replace(tzinfo=UTC) for member in layout.dates]
    return {
        "field": axis.field,
        "type": "temporal",
        "title": axis.title,
        "scale": {"type": "utc"},
        "axis": {
            "format": axis.time_format,
            "labelAngle": 0,
            "values": [round(day.timestamp() * 1000) for day in days],
        },
    }


def number(figure: Figure, axis: Axis, ticks: Ticks, layer: Layer | None) -> Json:
    scale: Json = {"domain": list(ticks.domain), "nice": False}
    if axis.log:
        scale["type"] = "log"
    elif axis.symlog:
        scale |= {"type": "symlog", "constant": axis.symlog}
    elif not axis.zero:
        scale["zero"] = False
    look: Json = {"values": list(ticks.values), **_labels(ticks)}
    own = layer is not None and layer.right
    if figure.style.grid and not own:
        look["grid"] = True
    if own:
        look["orient"] = "right"
    channel: Json = {
        "field": axis.field,
        "type": "quantitative",
        "title": axis.title,
        "scale": scale,
        "axis": look,
    }
    if layer is not None and layer.mark in ("bar", "area"):
        channel["stack"] = "zero" if layer.stack == "zero" else None
    return channel


def _labels(ticks: Ticks) -> Json:
    """What an axis writes at its ticks."""
    if ticks.format:
        return {"format": ticks.format}
    # `datum.index` is a tick's place among them, from 0 to 1.
    names = ",".join(f"'{label}'" for label in ticks.labels)
    return {"labelExpr": f"[{names}][round(datum.index*{len(ticks.labels) - 1})]"}


def colour(figure: Figure, layer: Layer, layout: Layout) -> Json:
    style = figure.style
    if layer.mark == "cell":
        return {
            "field": figure.y.field,
            "type": "quantitative",
            "title": figure.y.title,
            "scale": {"domain": list(layout.y.domain), "range": list(style.ramp)},
            "legend": {"values": list(layout.y.values), "format": layout.y.format},
        }
    names = list(figure.legend)
    plain = layer.mark in ("interval", "band") and not _by_series(layer)
    if not names or plain or layer.mark == "interval":
        return {}
    scale = {"domain": names, "range": [style.palette[i % 8] for i in range(len(names))]}
    if layer.name is not None:
        return {"datum": layer.name, "scale": scale}
    field = figure.x.field if figure.kind == "arc" else series_field(figure)
    title = figure.x.title if figure.kind == "arc" else figure.series_title
    found: Json = {"field": field, "type": "nominal", "title": title, "scale": scale}
    if layer.mark == "band":
        # The legend shows the lines: a band's colour is pale.
        return found | {"legend": None}
    return found | _legend(figure)


def looks(figure: Figure, layer: Layer) -> Json:
    """Dashes and shapes of the series, where the style has them beside colours."""
    if layer.name is not None or not _by_series(layer):
        return {}
    names = list(figure.series)

    def channel(looks: Sequence[Any]) -> Json:
        return {
            "field": series_field(figure),
            "type": "nominal",
            "title": figure.series_title,
            "scale": {"domain": names, "range": [looks[i % len(looks)] for i in range(len(names))]},
        } | _legend(figure)

    found: Json = {}
    if figure.style.dashed and layer.mark in ("line", "step"):
        found["strokeDash"] = channel([list(dash) for dash in DASHES])
    if figure.style.shaped and (layer.mark == "point" or layer.dots):
        found["shape"] = channel(SHAPES)
    return found


def _by_series(layer: Layer) -> bool:
    return any(record.series is not None for record in layer.records)


def _legend(figure: Figure) -> Json:
    """Of a legend in a corner of its plot, place and box; any other follows `config`."""
    side = figure.style.legend
    if side == "direct":
        return {"legend": None}
    return {"legend": {"orient": side, **_BOX}} if side in CORNERS else {}


_BOX: Json = {
    "fillColor": "#ffffff",
    "strokeColor": "#cccccc",
    "padding": 4,
    "offset": 6,
    "symbolSize": 50,
}
