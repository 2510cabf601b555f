"""A figure as a Vega-Lite v6 specification with inline data."""

from __future__ import annotations

from dataclasses import replace

from inward_charts.figure import Figure, Layer, Sheet
from inward_charts.layout import Layout, lay_out
from inward_charts.vega.channels import colour, looks, positions
from inward_charts.vega.notes import direct_labels, notes
from inward_charts.vega.values import Json, datum, series_field, values

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
LARGEST_BUBBLE = 600
"""Area in pixels of a circle at the end of the scale of sizes."""
HOLE = 0.48
"""Radius of a ring's hole, as a part of its own."""


def vega_lite(figure: Figure | Sheet, layout: Layout | None = None) -> Json:
    """The specification that draws `figure`, on axes of its own or on those of `layout`."""
    spec: Json = {"$schema": SCHEMA, "background": figure.style.background}
    spec |= _title(figure.title)
    if isinstance(figure, Sheet):
        return spec | _sheet(figure)
    return spec | _plot(figure, layout or lay_out(figure)) | {"config": _config(figure)}


def _title(lines: tuple[str, ...]) -> Json:
    if not lines:
        return {}
    return {"title": lines[0] if len(lines) == 1 else {"text": lines[0], "subtitle": lines[1]}}


def _sheet(sheet: Sheet) -> Json:
    panels = [_title(panel.title) | _plot(panel, lay_out(panel)) for panel in sheet.figures]
    channels = ("color", "strokeDash", "size")
    return {
        "concat": panels,
        "columns": sheet.columns,
        "spacing": 24,
        "resolve": {"scale": dict.fromkeys(channels, "independent")},
        "config": _config(replace(sheet.figures[0], style=replace(sheet.style, legend="bottom"))),
    }


def _plot(figure: Figure, layout: Layout) -> Json:
    """The views of one figure, with their size."""
    spec: Json = {}
    views = [_view(figure, layer, layout) for layer in figure.layers]
    for layer in figure.layers:
        if layer.printed:
            views += _printed(figure, layer, layout)
    views = [*notes(figure, layout, "span"), *views]
    views += [*notes(figure, layout, "level", "moment", "words"), *direct_labels(figure, layout)]
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
    return spec | {"width": side, "height": figure.height}


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
            "orient": "right" if style.legend == "direct" else style.legend,
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
    encoding = positions(figure, layer, layout)
    if layer.stack == "group":
        offset = {"field": series_field(figure), "sort": list(figure.series)}
        encoding["yOffset" if figure.horizontal else "xOffset"] = offset
    if tint := colour(figure, layer, layout):
        encoding["color"] = tint
    encoding |= looks(figure, layer)
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
        "data": {"values": values(figure, layer)},
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
            if figure.series:
                # Areas that touch would be read as parts of a stack.
                return {"type": "errorband", "opacity": 0.25}
            return {"type": "area", "opacity": 0.25, "color": style.palette[0]}
        case "point":
            mark = {"type": "point", "filled": not style.hollow, "opacity": style.opacity} | plain
            return mark if figure.size_title else mark | {"size": style.point_area}
        case "tick":
            return {"type": "tick", "opacity": style.opacity, "thickness": 1.5} | plain
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
            if (rows := [datum(figure, layer, figure.y, record) for record in chosen])
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
