"""What was read of a description as a Vega-Lite specification with inline data.

Longer than other files: one function a sort of chart, and the shapes that they share.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from inward_rewards.images.plain.chart import Axis, Kind, PlainChart, Series
from inward_rewards.images.plain.numbers import iso_date, number_format
from inward_rewards.images.plain.vega_notes import beside_lines, notes, power_labels, variants

Json = dict[str, Any]

WIDTH, HEIGHT = 340, 240
"""Of a plot whose size is not described, in pixels."""
PALETTE = (
    "#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#b279a2", "#ff9da6", "#9d755d",
)  # fmt: skip
RAMP = ["#c6dbef", "#6baed6", "#2171b5", "#08306b"]
LARGEST = 600
"""Square pixels of the largest bubble."""
HOLE = 0.48
"""Radius of a ring's hole, as a part of its own."""
MAX_ENTRIES = 200
"""Of a list in the specification, as the linter has it."""


def specification(chart: PlainChart) -> Json:
    """The chart that the description tells of. One of which nothing is known is a blank page."""
    spec: Json = {"background": chart.looks.background or "#ffffff"}
    if chart.title:
        spec["title"] = (
            {"text": chart.title, "subtitle": chart.subtitle} if chart.subtitle else chart.title
        )
    if chart.panels:
        return spec | _sheet(chart) | {"config": _config(chart)}
    return spec | _plot(chart) | {"config": _config(chart)}


def _sheet(chart: PlainChart) -> Json:
    """Different plots side by side, each with scales of its own."""
    panels: list[Json] = []
    for panel in chart.panels:
        title = {"title": panel.title} if panel.title else {}
        panels.append(title | _plot(panel))
    count = len(panels)
    return {
        "concat": panels,
        "columns": chart.columns or (2 if count in (2, 4) else 3),
        "spacing": 24,
        "resolve": {"scale": dict.fromkeys(("color", "strokeDash", "size"), "independent")},
    }


def _plot(chart: PlainChart) -> Json:
    """The views of one plot, with their size."""
    spec: Json = _sizes(chart)
    if chart.shapes:
        return spec | _shapes(chart)
    if not chart.observed:
        return spec | _frame(chart)
    panels = list(dict.fromkeys(series.panel for series in chart.series if series.panel))
    if chart.kind == "arc":
        views = _arc(chart)
    elif chart.kind == "cell":
        views = [_cells(chart)]
        if chart.printed:
            views += _cell_values(chart, views[0])
    else:
        views = _views(chart)
        # Small multiples have no place for a remark on all of them.
        views = views if panels else _noted(chart, views)
    if len(views) == 1:
        spec |= views[0]
    else:
        spec["layer"] = views
    if panels and len(views) == 1:
        facet: Json = {
            "field": "panel",
            "type": "nominal",
            "title": chart.panel_title or None,
            "sort": panels[:MAX_ENTRIES],
        }
        facet["columns"] = chart.columns or (2 if len(panels) in (2, 4) else 3)
        spec["encoding"] = {"facet": facet} | spec["encoding"]
    if any(series.right for series in chart.series):
        spec["resolve"] = {"scale": {"y": "independent"}}
    elif chart.kind == "arc" and len(views) > 1:
        spec["resolve"] = {"scale": {"color": "independent"}}
    return spec


def _sizes(chart: PlainChart) -> Json:
    width, height = chart.width or WIDTH, chart.height or HEIGHT
    if chart.kind == "arc":
        width = height
    return {"width": _side(width), "height": _side(height)}


def _side(pixels: float) -> float:
    return min(max(pixels, 20), 1200)


def _config(chart: PlainChart) -> Json:
    looks = chart.looks
    ink = looks.ink or "#000000"
    size = min(looks.label_size or 11, 40)
    words: Json = {
        "labelColor": ink,
        "titleColor": ink,
        "labelFontSize": size,
        "titleFontSize": size + 1,
    }
    axis = words | {
        "grid": False,
        "gridColor": looks.faint or "#dddddd",
        "domainColor": ink,
        "tickColor": ink,
        "labelLimit": 0,
        "labelOverlap": False,
        "maxExtent": 400,
    }
    if looks.dashed_grid:
        axis["gridDash"] = [3, 3]
    view: Json = {"stroke": ink if looks.frame and chart.kind != "arc" else None}
    if looks.panel or looks.background:
        view["fill"] = looks.panel or looks.background
    return {
        "view": view,
        "axis": axis,
        "legend": words | {"orient": _side_of(looks.legend), "labelLimit": 0, "titleLimit": 0},
        "header": words | {"labelLimit": 0},
        "title": {
            "anchor": looks.title_anchor or "middle",
            "color": ink,
            "subtitleColor": ink,
            "fontSize": min(looks.title_size or 14, 40),
            "subtitleFontSize": size,
        },
    }


def _side_of(legend: str) -> str:
    """Of legends that are not in a plot."""
    return legend if legend in ("right", "bottom", "top", "left") else "right"


def _frame(chart: PlainChart) -> Json:
    """Axes without data: what a description without numbers tells."""
    encoding: Json = {}
    for channel, axis in (("x", chart.x), ("y", chart.y)):
        if axis.title and chart.kind not in ("arc", None):
            encoding[channel] = {"field": channel, "type": "quantitative", "title": axis.title}
    return {"data": {"values": []}, "mark": "point", "encoding": encoding}


# shapes in pixels


def _shapes(chart: PlainChart) -> Json:
    width, height = _sizes(chart)["width"], _sizes(chart)["height"]

    def place(field: str, most: float, *, down: bool) -> Json:
        scale = {"domain": [most, 0] if down else [0, most], "nice": False, "zero": False}
        return {"field": field, "type": "quantitative", "scale": scale, "axis": None}

    marks = {"rectangle": "rect", "line": "line", "area": "area", "dot": "point"}
    rows: dict[str, list[Json]] = {name: [] for name in marks}
    for number, (word, shade, corners) in enumerate(chart.shapes):
        own = {"c": shade or PALETTE[0], "s": str(number)}
        if word == "rectangle":
            pairs = zip(corners[::2], corners[1::2], strict=False)
            rows[word] += [
                own | {"x": a[0], "y": a[1], "x2": b[0], "y2": b[1]}
                for a, b in pairs
                if len(a) > 1 and len(b) > 1
            ]
        elif word in rows:
            names = ("x", "y", "y2") if word == "area" else ("x", "y", "size")
            rows[word] += [
                own | dict(zip(names, corner, strict=False))
                for corner in corners
                if len(corner) >= 2
            ]
    layers = []
    left = 1000
    for word, kind in marks.items():
        values = rows[word][:left]
        left -= len(values)
        encoding: Json = {
            "x": place("x", width, down=False),
            "y": place("y", height, down=True),
            "color": {"field": "c", "type": "nominal", "scale": None},
        }
        if word == "rectangle":
            encoding["x2"] = {"field": "x2"}
        if word in ("rectangle", "area"):
            encoding["y2"] = {"field": "y2"}
        if word in ("line", "area"):
            encoding["detail"] = {"field": "s"}
        if word == "dot":
            encoding["size"] = {"field": "size", "type": "quantitative", "scale": None}
        mark: Json = {"type": kind, "opacity": 1} | ({"filled": True} if word == "dot" else {})
        if values:
            layers.append({"data": {"values": values}, "mark": mark, "encoding": encoding})
    return {"padding": 0, "autosize": "none", "layer": layers} if layers else _frame(chart)


# charts with axes


def _named(chart: PlainChart) -> list[str]:
    """Entries of the legend, in order."""
    told = [series.name for series in chart.series if series.name and series.kind != "band"]
    names = list(dict.fromkeys(told))
    listed = [name for name in chart.legend if name in names]
    return ([*listed, *(name for name in names if name not in listed)])[:MAX_ENTRIES]


def _range(chart: PlainChart, names: list[str]) -> list[str]:
    return [chart.colors.get(name.lower(), PALETTE[i % 8]) for i, name in enumerate(names)]


def _views(chart: PlainChart) -> list[Json]:
    """A layer for each sort of mark: bars below, then areas, lines and points."""
    groups: dict[tuple[Kind, bool, bool], list[Series]] = {}
    for series in chart.series:
        kind: Kind = series.kind or chart.kind or "bar"
        if kind == "line" and chart.kind == "step":
            kind = "step"
        groups.setdefault((kind, series.right, series.dots), []).append(series)
    order = ("band", "area", "bar", "box", "line", "step", "point", "rule")
    ranked = sorted(
        groups.items(), key=lambda item: order.index(item[0][0]) if item[0][0] in order else 9
    )
    names = _named(chart)
    views: list[Json] = []
    for (kind, right, dots), members in ranked:
        views.append(_view(chart, kind, members, names, right=right, dots=dots))
        if kind not in ("band", "box", "rule") and any(
            o.low is not None for s in members for o in s.observations
        ):
            views.append(_intervals(chart, members, right=right))
        if kind == "box" and any(o.outliers for s in members for o in s.observations):
            views.append(_outliers(chart, members))
        if chart.printed and kind == "bar":
            views.append(_printed(chart, members, names, right=right))
    return views


def _noted(chart: PlainChart, views: list[Json]) -> list[Json]:
    """The views with the marked regions below them, and lines and words above."""
    places = _positions(chart, "point", [], right=False)
    ink, size = chart.looks.ink or "#000000", min(chart.looks.label_size or 11, 40)
    below, above = notes(chart, places, ink, size)
    if chart.looks.legend == "direct" and chart.kind in ("line", "step"):
        color = _color(chart, _named(chart))
        above += beside_lines(chart, places, color, size, _sizes(chart)["height"])
    return [*below, *views, *above]


def _rows(members: list[Series], *, box: bool = False, shifted: bool = False) -> list[Json]:
    """`shifted`: points of one place stand side by side, evenly spread by the golden ratio."""
    rows: list[Json] = []
    for series in members:
        for number, o in enumerate(series.observations):
            row: Json = {"x": o.x, "s": series.name}
            if shifted:
                row["shift"] = round(number * 0.618034 % 1, 2)
            if series.panel:
                row["panel"] = series.panel
            if box:
                rows += [row | {"y": value} for value in o.box]
                continue
            row["y"] = o.y
            if o.size is not None:
                row["size"] = o.size
            if o.x2 is not None:
                row["x2"] = o.x2
            if o.low is not None:
                row |= {"low": o.low, "high": o.high}
            rows.append(row)
    return rows[:1000]


def _view(
    chart: PlainChart,
    kind: Kind,
    members: list[Series],
    names: list[str],
    *,
    right: bool,
    dots: bool,
) -> Json:
    encoding = _positions(chart, kind, members, right=right)
    several = len({series.name for series in members}) > 1
    if kind == "bar" and chart.stack == "group" and several:
        encoding["yOffset" if chart.horizontal else "xOffset"] = {"field": "s", "sort": names}
    colored = names and any(series.name for series in members) and kind not in ("band", "box")
    if colored:
        encoding["color"] = _color(chart, names)
        encoding |= variants(chart, names, encoding["color"], kind, dots=dots or chart.dots)
    if any(o.size is not None for s in members for o in s.observations):
        encoding["size"] = _size(chart, members)
    if shifted := chart.strip and kind == "point" and not chart.ticks:
        offset = {"field": "shift", "type": "quantitative", "scale": {"domain": [-0.6, 1.6]}}
        encoding["yOffset" if chart.horizontal else "xOffset"] = offset
    mark = _mark(chart, kind, plain=not colored, sized="size" in encoding, dots=dots)
    if kind == "rule":
        across = "x" if chart.horizontal else "y"
        encoding = {k: v for k, v in encoding.items() if k in (across, "color")}
    return {
        "mark": mark,
        "data": {"values": _rows(members, box=kind == "box", shifted=shifted)},
        "encoding": encoding,
    }


def _color(chart: PlainChart, names: list[str]) -> Json:
    return {
        "field": "s",
        "type": "nominal",
        "title": chart.legend_title or None,
        "scale": {"domain": names, "range": _range(chart, names)},
    } | _legend(chart)


def _legend(chart: PlainChart) -> Json:
    """Of a legend in a corner of its plot, or of none; any other follows `config`."""
    side = chart.looks.legend
    if side == "direct":
        return {"legend": None}
    look: Json = {}
    if "-" in side:
        look = {"orient": side, "fillColor": "#ffffff", "strokeColor": "#cccccc", "padding": 4}
        look |= {"offset": 6, "symbolSize": 50}
    if chart.bands:
        # Else as pale as the bands are.
        look["symbolOpacity"] = 1
    return {"legend": look} if look else {}


def _mark(chart: PlainChart, kind: Kind, *, plain: bool, sized: bool, dots: bool) -> Json:
    looks = chart.looks
    own: Json = {"color": chart.color or PALETTE[0]} if plain else {}
    match kind:
        case "line" | "step":
            mark: Json = {"type": "line", "strokeWidth": min(looks.line_width or 2.0, 20)} | own
            if kind == "step":
                mark["interpolate"] = "step-after"
            if dots or chart.dots:
                mark["point"] = {"size": min(looks.point_area or 45, 2000), "filled": True} | own
            return mark
        case "area":
            return {
                "type": "area",
                "opacity": 1 if chart.stack == "zero" else looks.opacity or 0.75,
            } | own
        case "band":
            return {"type": "area", "opacity": 0.25, "color": chart.color or PALETTE[0]}
        case "point" if chart.ticks:
            return {"type": "tick", "opacity": looks.opacity or 1, "thickness": 1.5} | own
        case "point":
            mark = {
                "type": "point",
                "filled": not looks.hollow,
                "opacity": looks.opacity or 1,
            } | own
            return mark if sized else mark | {"size": min(looks.point_area or 45, 2000)}
        case "box":
            return {
                "type": "boxplot",
                "extent": "min-max",
                "size": 16,
                "median": {"color": "white"},
            } | own
        case "rule":
            return {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.5} | own
        case _:
            return {"type": "bar"} | own


def _positions(chart: PlainChart, kind: Kind, members: list[Series], *, right: bool) -> Json:
    everyone = [o for series in chart.series for o in series.observations]
    xs = [o.x for o in everyone if o.x is not None]
    ends: Json = {}
    across: Json
    if any(o.x2 is not None for o in everyone):
        across = _number(chart, chart.x, grid=False) | {"field": "x", "bin": "binned"}
        ends["x2"] = {"field": "x2"}
    elif all(isinstance(x, float | int) for x in xs):
        across = _number(chart, chart.x, grid=chart.looks.grid_x) | {"field": "x"}
    elif all(isinstance(x, str) and _is_date(x) for x in xs):
        across = _time(chart, [str(x) for x in xs])
    else:
        across = _category(chart, [str(x) for x in xs])
    axis = chart.right if right else chart.y
    measured = _number(chart, axis, grid=bool(chart.looks.grid) and not right) | {"field": "y"}
    if right:
        measured["axis"] = measured.get("axis", {}) | {"orient": "right"}
    if kind in ("bar", "area"):
        measured["stack"] = "zero" if chart.stack == "zero" else None
    if kind == "band":
        measured["field"] = "low"
        ends = {"x2" if chart.horizontal else "y2": {"field": "high"}}
    if chart.horizontal:
        return {"y": across, "x": measured} | ends
    return {"x": across, "y": measured} | ends


def _small(chart: PlainChart) -> float:
    """The size of printed values, a little below that of labels."""
    return max(1, min(chart.looks.label_size or 11, 40) - 1)


def _is_date(text: str) -> bool:
    return iso_date(text) == text


def _number(chart: PlainChart, axis: Axis, *, grid: bool) -> Json:
    scale: Json = {}
    if axis.low is not None and axis.high is not None and axis.low < axis.high:
        part = 100 if axis.percent else 1
        scale = {"domain": [axis.low / part, axis.high / part], "nice": False, "zero": False}
    if axis.log:
        scale["type"] = "log"
        if scale.get("domain", [1])[0] <= 0:
            scale.pop("domain")
    elif axis.symlog is not None:
        scale |= {"type": "symlog", "constant": axis.symlog or 1.0}
        scale.pop("zero", None)
    look: Json = {}
    if axis.ticks and (labels := power_labels(axis.ticks)):
        look = {"values": _values(axis), "labelExpr": labels}
    elif axis.ticks:
        look = {"values": _values(axis), "format": number_format(axis.ticks)}
    elif axis.percent:
        look = {"format": "~%"}
    elif axis is chart.x and axis.title.lower().startswith("year"):
        look = {"format": "d"}
    if grid:
        look["grid"] = True
    return {"type": "quantitative", "title": axis.title or None, "scale": scale, "axis": look}


def _values(axis: Axis) -> list[float]:
    return [tick.value / 100 if tick.percent else tick.value for tick in axis.ticks][:40]


def _category(chart: PlainChart, places: list[str]) -> Json:
    members = list(dict.fromkeys(places))
    listed = [name for name in chart.x.members if name in members]
    members = [*listed, *(name for name in members if name not in listed)]
    channel: Json = {
        "field": "x",
        "type": "nominal",
        "title": chart.x.title or None,
        "sort": members[:MAX_ENTRIES],
    }
    if chart.kind == "bar" or any(series.kind == "bar" for series in chart.series):
        gap = min(chart.looks.gap if chart.looks.gap is not None else 0.2, 0.9)
        channel["scale"] = {"paddingInner": gap, "paddingOuter": gap / 2}
    if not chart.horizontal:
        angle = chart.looks.angle
        if angle is None:
            wide = (chart.width or WIDTH) / max(1, len(members))
            longest = max(map(len, members), default=0)
            angle = 0 if longest * 6.2 + 8 < wide else -45 if longest <= 16 else -90
        channel["axis"] = {"labelAngle": angle}
    return channel


def _time(chart: PlainChart, days: list[str]) -> Json:
    shown = chart.x.dates or list(dict.fromkeys(days))[:: max(1, -(-len(set(days)) // 5))]
    stamps = [
        round(datetime.fromisoformat(d).replace(tzinfo=UTC).timestamp() * 1000) for d in shown
    ]
    return {
        "field": "x",
        "type": "temporal",
        "title": chart.x.title or None,
        "scale": {"type": "utc"},
        "axis": {"format": "%b %Y", "labelAngle": 0, "values": stamps[:40]},
    }


def _intervals(chart: PlainChart, members: list[Series], *, right: bool) -> Json:
    encoding = _positions(chart, "band", members, right=right)
    rows = [row for row in _rows(members) if "low" in row]
    names = _named(chart)
    several = len({row["s"] for row in rows}) > 1
    mark: Json = {"type": "errorbar", "ticks": {"size": 10}}
    if chart.bands and chart.kind != "bar":
        mark = {"type": "errorband", "opacity": 0.25}
    if several or (chart.bands and names):
        encoding["color"] = _color(chart, names)
    else:
        mark["color"] = chart.looks.ink or "#000000"
    if several and chart.kind == "bar" and chart.stack == "group":
        encoding["yOffset" if chart.horizontal else "xOffset"] = {"field": "s", "sort": names}
    return {"mark": mark, "data": {"values": rows}, "encoding": encoding}


def _outliers(chart: PlainChart, members: list[Series]) -> Json:
    rows = [
        {"x": o.x, "y": value}
        for series in members
        for o in series.observations
        for value in o.outliers
    ][:500]
    mark = {"type": "point", "color": chart.color or PALETTE[0], "size": 30}
    encoding = _positions(chart, "point", members, right=False)
    return {"mark": mark, "data": {"values": rows}, "encoding": encoding}


def _size(chart: PlainChart, members: list[Series]) -> Json:
    sizes = [o.size for s in members for o in s.observations if o.size is not None]
    axis = chart.sizes
    low, high = (axis.low, axis.high) if axis.low is not None else (0.0, max(sizes))
    legend: Json = {}
    if axis.ticks:
        legend = {"values": _values(axis), "format": number_format(axis.ticks)}
    return {
        "field": "size",
        "type": "quantitative",
        "title": axis.title or None,
        "scale": {"domain": [low, high], "range": [0, LARGEST]},
        "legend": legend,
    }


def _printed(chart: PlainChart, members: list[Series], names: list[str], *, right: bool) -> Json:
    encoding = _positions(chart, "point", members, right=right)
    encoding["text"] = {"field": "y", "type": "quantitative", "format": _format(chart, members)}
    mark: Json = {
        "type": "text",
        "color": chart.looks.ink or "#000000",
        "fontSize": _small(chart),
    }
    mark |= (
        {"align": "left", "dx": 3, "baseline": "middle"}
        if chart.horizontal
        else {"baseline": "bottom", "dy": -3}
    )
    return {"mark": mark, "data": {"values": _rows(members)}, "encoding": encoding}


def _format(chart: PlainChart, members: list[Series]) -> str:
    values = [o.y for s in members for o in s.observations if o.y is not None]
    percent = chart.y.percent
    shown = [value * 100 if percent else value for value in values]
    decimals = next((n for n in range(6) if all(abs(v - round(v, n)) < 1e-9 for v in shown)), 6)
    if percent:
        return f".{decimals}%"
    money = "$" if any(tick.money for tick in chart.y.ticks) else ""
    return f"{money},.{decimals}f"


def _arc(chart: PlainChart) -> list[Json]:
    observations = [o for series in chart.series for o in series.observations if o.y is not None]
    observations = [o for o in observations if isinstance(o.x, str) and (o.y or 0) >= 0][
        :MAX_ENTRIES
    ]
    names = list(dict.fromkeys(str(o.x) for o in observations))
    rows = [{"x": o.x, "y": o.y, "order": i} for i, o in enumerate(observations)]
    radius = round(_sizes(chart)["height"] / 2)
    mark: Json = {
        "type": "arc",
        "outerRadius": radius,
        "stroke": chart.looks.background or "#ffffff",
    }
    if chart.donut:
        mark["innerRadius"] = round(radius * HOLE)
    encoding: Json = {
        "theta": {"field": "y", "type": "quantitative", "stack": True},
        "order": {"field": "order", "type": "quantitative"},
        "color": {
            "field": "x",
            "type": "nominal",
            "title": chart.legend_title or chart.x.title or None,
            "scale": {"domain": names, "range": _range(chart, names)},
        },
    }
    views = [{"mark": mark, "data": {"values": rows}, "encoding": encoding}]
    if chart.printed:
        ink = chart.looks.ink or "#000000"
        scale = {"domain": names, "range": [ink]}
        series = Series(observations=observations)
        words = encoding | {
            "text": {"field": "y", "type": "quantitative", "format": _format(chart, [series])},
            "color": encoding["color"] | {"scale": scale, "legend": None},
        }
        label: Json = {
            "type": "text",
            "radius": radius + 12,
            "fontSize": _small(chart),
        }
        views.append({"mark": label, "data": {"values": rows}, "encoding": words})
    return views


def _cell_values(chart: PlainChart, cells: Json) -> list[Json]:
    """Each cell's number on it, white on dark colours and black on light ones."""
    rows = cells["data"]["values"]
    values = [row["y"] for row in rows if row["y"] is not None]
    scale = cells["encoding"]["color"]["scale"]
    low, high = scale.get("domain", (min(values, default=0), max(values, default=1)))
    shades: dict[str, list[Json]] = {"#ffffff": [], "#000000": []}
    for row in rows:
        if row["y"] is not None:
            part = (row["y"] - low) / ((high - low) or 1)
            shades["#ffffff" if _luminance(scale["range"], part) < 0.5 else "#000000"].append(row)
    form = _format(chart, chart.series)
    size = _small(chart)
    text = {"field": "y", "type": "quantitative", "format": form}
    places = {name: cells["encoding"][name] for name in ("x", "y")}
    return [
        {
            "mark": {"type": "text", "color": ink, "fontSize": size},
            "data": {"values": chosen},
            "encoding": places | {"text": text},
        }
        for ink, chosen in shades.items()
        if chosen
    ]


def _luminance(ramp: list[str], part: float) -> float:
    """Of the colour at `part` (0 to 1) of a ramp, from 0 to 1."""
    place = min(max(part, 0.0), 1.0) * (len(ramp) - 1)
    left = min(int(place), len(ramp) - 2)
    mixed = 0.0
    for start, weight in ((1, 0.299), (3, 0.587), (5, 0.114)):
        ends = [int(color[start : start + 2], 16) / 255 for color in ramp[left : left + 2]]
        mixed += weight * (ends[0] + (ends[-1] - ends[0]) * (place - left))
    return mixed


def _cells(chart: PlainChart) -> Json:
    rows = _rows(chart.series)
    columns = list(dict.fromkeys(str(row["x"]) for row in rows))
    names = _named(chart)
    x = _category(chart, columns)
    axis = chart.scale if (chart.scale.title or chart.scale.ticks) else Axis(title=chart.y.title)
    scale: Json = {"range": chart.ramp or RAMP}
    if axis.low is not None and axis.high is not None and axis.low < axis.high:
        part = 100 if axis.percent else 1
        scale["domain"] = [axis.low / part, axis.high / part]
    legend: Json = {}
    if axis.ticks:
        legend = {"values": _values(axis), "format": number_format(axis.ticks)}
    y_title = chart.y.title if axis is chart.scale else None
    return {
        "mark": "rect",
        "data": {"values": rows},
        "encoding": {
            "x": x,
            "y": {"field": "s", "type": "nominal", "title": y_title or None, "sort": names},
            "color": {
                "field": "y",
                "type": "quantitative",
                "title": axis.title or None,
                "scale": scale,
                "legend": legend,
            },
        },
    }
