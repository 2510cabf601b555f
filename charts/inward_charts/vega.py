"""A figure as a Vega-Lite v6 specification with inline data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from inward_charts.figure import Axis, Figure, Layer, Record, Ticks
from inward_charts.layout import Layout, lay_out

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
LARGEST_BUBBLE = 600
"""Area in pixels of a circle at the end of the scale of sizes."""
HOLE = 0.48
"""Radius of a ring's hole, as a part of its own."""
Json = dict[str, Any]


def vega_lite(figure: Figure, layout: Layout | None = None) -> Json:
    """The specification that draws `figure`, on axes of its own or on those of `layout`."""
    layout = layout or lay_out(figure)
    spec: Json = {"$schema": SCHEMA, "background": figure.style.background}
    if figure.title:
        lines = figure.title
        spec["title"] = lines[0] if len(lines) == 1 else {"text": lines[0], "subtitle": lines[1]}
    views = [_view(figure, layer, layout) for layer in figure.layers]
    for layer in figure.layers:
        if layer.printed:
            views += _printed(figure, layer, layout)
    if len(views) > 1:
        spec["layer"] = views
    else:
        spec |= views[0]
    if figure.panels:
        spec["encoding"] = {"facet": _facet(figure)} | spec["encoding"]
    if figure.right is not None:
        spec["resolve"] = {"scale": {"y": "independent"}}
    elif figure.kind == "arc":
        spec["resolve"] = {"scale": {"color": "independent"}}
    side = figure.height if figure.kind == "arc" else figure.width
    return spec | {"width": side, "height": figure.height, "config": _config(figure)}


def _config(figure: Figure) -> Json:
    style = figure.style
    words = {"labelColor": style.ink, "titleColor": style.ink, "labelFontSize": style.label_size}
    axis: Json = words | {
        "titleFontSize": style.label_size + 1,
        "grid": False,
        "gridColor": style.faint,
        "domainColor": style.ink,
        "tickColor": style.ink,
        "labelLimit": 0,
        "labelOverlap": False,
        "maxExtent": 400,
    }
    if style.grid_dash:
        axis["gridDash"] = [3, 3]
    return {
        "view": {
            "fill": style.panel,
            "stroke": style.ink if style.frame and figure.kind != "arc" else None,
        },
        "axis": axis,
        "legend": words
        | {
            "titleFontSize": style.label_size + 1,
            "orient": style.legend,
            "labelLimit": 0,
            "titleLimit": 0,
        },
        "header": words | {"titleFontSize": style.label_size + 1, "labelLimit": 0},
        "title": {
            "anchor": style.title_anchor,
            "color": style.ink,
            "subtitleColor": style.ink,
            "fontSize": style.title_size,
            "subtitleFontSize": style.label_size,
        },
    }


def _facet(figure: Figure) -> Json:
    return {
        "field": "panel",
        "type": "nominal",
        "title": figure.panel_title,
        "columns": figure.columns,
        "sort": list(figure.panels),
    }


def _view(figure: Figure, layer: Layer, layout: Layout) -> Json:
    encoding = _positions(figure, layer, layout)
    if layer.stack == "group":
        offset = {"field": _series_field(figure), "sort": list(figure.series)}
        encoding["yOffset" if figure.horizontal else "xOffset"] = offset
    colour = _colour(figure, layer, layout)
    if colour:
        encoding["color"] = colour
    if layout.size is not None and layer.mark == "point":
        encoding["size"] = {
            "field": "size",
            "type": "quantitative",
            "title": figure.size_title,
            "scale": {"domain": list(layout.size.domain), "range": [0, LARGEST_BUBBLE]},
            "legend": {"values": list(layout.size.values), "format": layout.size.format},
        }
    return {
        "mark": _mark(figure, layer),
        "data": {"values": _values(figure, layer)},
        "encoding": encoding,
    }


def _mark(figure: Figure, layer: Layer) -> Json:
    style = figure.style
    plain: Json = {} if figure.legend else {"color": style.palette[0]}
    match layer.mark:
        case "line" | "step":
            mark = {"type": "line", "strokeWidth": style.line_width} | plain
            if layer.mark == "step":
                mark["interpolate"] = "step-after"
            if layer.dots:
                mark["point"] = {"size": style.point_area, "filled": True} | plain
            return mark
        case "area":
            return {"type": "area", "opacity": 0.75 if layer.stack == "none" else 1} | plain
        case "band":
            return {"type": "area", "opacity": 0.25, "color": style.palette[0]}
        case "point":
            mark = {"type": "point", "filled": not style.hollow, "opacity": style.opacity} | plain
            return mark if figure.size_title else mark | {"size": style.point_area}
        case "arc":
            radius = round(figure.height / 2)
            mark = {"type": "arc", "outerRadius": radius, "stroke": style.background}
            return mark | ({"innerRadius": round(radius * HOLE)} if figure.donut else {})
        case "cell":
            return {"type": "rect"}
        case "box":
            box = {"type": "boxplot", "extent": 1.5, "size": 16, "median": {"color": "white"}}
            return box | plain
        case "interval":
            return {"type": "errorbar", "ticks": {"size": 10}, "color": style.ink}
        case "rule":
            return {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.5}
        case "bar":
            return {"type": "bar"} | plain


def _positions(figure: Figure, layer: Layer, layout: Layout) -> Json:
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
            "field": _series_field(figure),
            "type": "nominal",
            "title": figure.series_title,
            "sort": list(figure.series),
        }
        return {"x": _category(figure, x, layout), "y": rows}
    if layer.mark == "rule":
        return {"y": _number(figure, y, ticks, layer)}
    across: Json
    if x.type == "category":
        across = _category(figure, x, layout)
    elif x.type == "time":
        across = _time(figure, x, layout)
    else:
        assert layout.x is not None
        across = _number(figure, x, layout.x, None)
    measured = _number(figure, y, ticks, layer)
    ends: Json = {}
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


def _number(figure: Figure, axis: Axis, ticks: Ticks, layer: Layer | None) -> Json:
    scale: Json = {"domain": list(ticks.domain), "nice": False}
    if axis.log:
        scale["type"] = "log"
    elif not axis.zero:
        scale["zero"] = False
    look: Json = {"values": list(ticks.values), "format": ticks.format}
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


def _colour(figure: Figure, layer: Layer, layout: Layout) -> Json:
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
    if not names or layer.mark in ("interval", "band"):
        return {}
    scale = {"domain": names, "range": [style.palette[i % 8] for i in range(len(names))]}
    if layer.name is not None:
        return {"datum": layer.name, "scale": scale}
    field = figure.x.field if figure.kind == "arc" else _series_field(figure)
    title = figure.x.title if figure.kind == "arc" else figure.series_title
    return {"field": field, "type": "nominal", "title": title, "scale": scale}


def _printed(figure: Figure, layer: Layer, layout: Layout) -> list[Json]:
    """Text marks with the layer's values."""
    base = _view(figure, layer, layout)
    mark: Json = {
        "type": "text",
        "fontSize": figure.style.label_size - 1,
        "color": figure.style.ink,
    }
    encoding = {k: v for k, v in base["encoding"].items() if k not in ("color", "size")}
    encoding["text"] = {"field": figure.y.field, "type": "quantitative", "format": layout.printed}
    if layer.mark == "cell":
        return [
            {"mark": mark | {"color": ink}, "data": {"values": rows}, "encoding": encoding}
            for ink, chosen in layout.cell_inks
            if (rows := [_datum(figure, layer, figure.y, record) for record in chosen])
        ]
    if layer.mark == "arc":
        mark["radius"] = round(figure.height / 2) + 12
        # A scale of one colour: the number belongs to its sector and is written in ink.
        names = base["encoding"]["color"]
        scale = {"domain": names["scale"]["domain"], "range": [figure.style.ink]}
        encoding["color"] = names | {"scale": scale, "legend": None}
    elif figure.horizontal:
        mark |= {"align": "left", "dx": 3, "baseline": "middle"}
    else:
        mark |= {"baseline": "bottom", "dy": -3}
    rows = [v for v in base["data"]["values"] if v[figure.y.field] is not None]
    return [{"mark": mark, "data": {"values": rows}, "encoding": encoding}]


def _series_field(figure: Figure) -> str:
    return figure.series_title.lower().replace(" ", "_")


def _values(figure: Figure, layer: Layer) -> list[Json]:
    measure = figure.right if layer.right and figure.right else figure.y
    if layer.mark == "rule":
        return [{measure.field: record.y} for record in layer.records]
    return [_datum(figure, layer, measure, record) for record in layer.records]


def _datum(figure: Figure, layer: Layer, measure: Axis, record: Record) -> Json:
    row: Json = {}
    if figure.x.bins:
        row |= {"from": record.low, "to": record.high}
    else:
        row[figure.x.field] = record.x
    if record.series is not None:
        row[_series_field(figure)] = record.series
    if record.panel is not None:
        row["panel"] = record.panel
    if layer.mark in ("interval", "band"):
        row |= {"low": record.low, "high": record.high}
    else:
        row[measure.field] = record.y
    if record.size is not None:
        row["size"] = record.size
    if layer.mark == "arc":
        row["order"] = figure.legend.index(str(record.x))
    return row
