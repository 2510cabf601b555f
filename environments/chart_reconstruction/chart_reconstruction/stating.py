"""A generated chart's specification told in prose: the describer that states the truth.

It is what `vf-validate` and the tests hold the readers of descriptions to, and what a perfect
policy might write. The surprise: it reads the generator's specifications alone, not any Vega-Lite.
Longer than other files: one function a sort of chart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from inward_charts import box_numbers, format_number, power_of_ten

Json = dict[str, Any]


def stated(spec: Json) -> str:
    """All that the chart of `spec` shows, in sentences that `inward_rewards.images.plain` reads."""
    if "concat" in spec:
        lines = _sheet(spec)
    else:
        plot = _Plot.of(spec)
        lines = [_opening(spec, plot), *_page(spec), *_frame(spec, plot.drawn), *_plot(spec, plot)]
    return "\n".join(line for line in lines if line)


def _sheet(spec: Json) -> list[str]:
    """A figure of different plots: what they share, then each."""
    title = f' titled "{spec["title"]}"' if spec.get("title") else ""
    count, columns = len(spec["concat"]), spec["columns"]
    lines = [f"This figure{title} has {count} panels in {columns} columns.", *_page(spec)]
    for panel in spec["concat"]:
        whole = {**panel, "config": spec["config"], "background": spec["background"]}
        plot = _Plot.of(whole)
        opening = _opening({**whole, "title": ""}, plot).removeprefix("This")
        lines.append(f'Panel "{panel["title"]}"{opening}')
        lines += [*_frame(whole, plot.drawn), *_plot(whole, plot)]
    return lines


@dataclass(frozen=True)
class _Plot:
    """The views of one plot, by what they are for."""

    drawn: list[Json]
    """Those that show the data."""
    notes: list[Json]
    printed: bool
    direct: bool
    """Names stand at the ends of lines."""

    @classmethod
    def of(cls, spec: Json) -> _Plot:
        views = spec.get("layer", [spec])
        texts = [view for view in views if _mark(view)["type"] == "text"]
        notes = [view for view in views if _is_note(view)]
        names = [view for view in texts if view["encoding"]["text"]["type"] == "nominal"]
        return cls(
            drawn=[view for view in views if view not in texts and view not in notes],
            notes=notes,
            printed=len(names) < len(texts),
            direct=any("color" in view["encoding"] for view in names),
        )


def _is_note(view: Json) -> bool:
    """A remark's text, or its line or region, which has no colour of a series."""
    kind, encoding = _mark(view)["type"], view["encoding"]
    if kind == "text":
        return bool("note" in _rows(view)[0])
    return (kind == "rule" and "color" not in encoding) or (kind == "rect" and "x2" in encoding)


def _plot(spec: Json, plot: _Plot) -> list[str]:
    """The axes, legends and numbers of a plot."""
    drawn = plot.drawn
    first = drawn[0]
    side = spec["config"]["legend"]["orient"]
    facet = first["encoding"].get("facet") or spec.get("encoding", {}).get("facet")
    lines = []
    if facet:
        lines.append(
            f'The panels are titled "{facet["title"]}" and stand in {facet["columns"]} columns.'
        )
    if _mark(first)["type"] == "arc":
        lines += _circle(first, side)
    elif _mark(first)["type"] == "rect":
        lines += _heat_map(first, side)
    else:
        lines += _axes(drawn)
        lines += _legends(drawn, side, direct=plot.direct)
        for view in drawn:
            lines += _numbers(view, drawn)
        lines += _notes(plot.notes)
    return lines


def _mark(view: Json) -> Json:
    mark = view["mark"]
    return {"type": mark} if isinstance(mark, str) else mark


def _rows(view: Json) -> list[Json]:
    rows: list[Json] = view["data"]["values"]
    return rows


def _horizontal(view: Json) -> bool:
    return bool(view["encoding"].get("y", {}).get("type") == "nominal")


def _opening(spec: Json, plot: _Plot) -> str:
    drawn = [view for view in plot.drawn if _mark(view)["type"] != "errorband"]
    first, kinds = drawn[0], [_mark(view)["type"] for view in drawn]
    mark, encoding = _mark(first), first["encoding"]
    kind = kinds[0]
    name = {
        "bar": "bar chart", "line": "line chart", "area": "area chart", "point": "scatter plot",
        "arc": "pie chart", "rect": "heat map", "boxplot": "box plot", "rule": "line chart",
        "errorbar": "bar chart", "tick": "strip plot",
    }[kind]  # fmt: skip
    if mark.get("interpolate") == "step-after":
        name = "step chart"
    if "innerRadius" in mark:
        name = "donut chart"
    if encoding.get("x", {}).get("bin") == "binned":
        name = "histogram"
    if kind == "area" and "y2" in encoding and len(kinds) > 1:
        name = "line chart"
    if kind == "point" and (_horizontal(first) or encoding["x"].get("type") == "nominal"):
        name = "strip plot" if _strip(first) else "dot plot"
    measured = encoding.get("x" if _horizontal(first) else "y", {})
    if measured.get("stack") == "zero":
        name = f"stacked {name}"
    if "xOffset" in encoding or "yOffset" in encoding:
        name = f"grouped {name}"
    if _horizontal(first) and kind != "rect":
        name = f"horizontal {name}"
    dots = " with dots" if kinds.count("line") == len(kinds) and "point" in mark else ""
    if kind == "tick":
        dots = ", whose samples are drawn as ticks"
    title = spec.get("title")
    text = title if isinstance(title, str) else (title or {}).get("text", "")
    told = f' titled "{text}"' if text else ""
    opening = f"This is a {name}{dots}{told}."
    if isinstance(title, dict):
        opening += f' The subtitle is "{title["subtitle"]}".'
    if plot.printed:
        opening += " The values are printed at the marks."
    return opening


def _strip(view: Json) -> bool:
    """Whether samples stand side by side."""
    return _mark(view)["type"] == "tick" or any("shift" in row for row in _rows(view))


def _page(spec: Json) -> list[str]:
    """What is the same for every plot of a figure."""
    config = spec["config"]
    axis, view = config["axis"], config["view"]
    lines = [
        f"The background is {spec['background']}, the plot area is {view['fill']}, "
        f"the text is {axis['labelColor']}."
    ]
    if view["stroke"]:
        lines.append("The plot has a frame around it, a border around the marks.")
    place = "centred" if config["title"]["anchor"] == "middle" else "on the left"
    lines.append(
        f"The labels are {axis['labelFontSize']} pixels high. "
        f"The title is {config['title']['fontSize']} pixels high. The title is {place}."
    )
    return lines


def _frame(spec: Json, drawn: list[Json]) -> list[str]:
    """The size of a plot, its grid and how its marks look."""
    axis = spec["config"]["axis"]
    lines = [f"The plot is {spec['width']} by {spec['height']} pixels."]
    channels = [view["encoding"].get(name, {}).get("axis") or {} for view in drawn for name in "xy"]
    if any(channel.get("grid") for channel in channels):
        both = any(
            (v["encoding"].get("x", {}).get("axis") or {}).get("grid") for v in drawn
        ) and any((v["encoding"].get("y", {}).get("axis") or {}).get("grid") for v in drawn)
        dashed = "dashed " if "gridDash" in axis else ""
        where = " in both directions" if both else ""
        lines.append(f"There are {dashed}grid lines in {axis['gridColor']}{where}.")
    for part in drawn:
        mark, encoding = _mark(part), part["encoding"]
        if "strokeWidth" in mark and mark["type"] == "line":
            lines.append(f"The lines are {mark['strokeWidth']:g} pixels wide.")
        points = mark if mark["type"] == "point" else mark.get("point")
        if isinstance(points, dict) and "size" in points:
            lines.append(f"The points cover {points['size']} square pixels.")
        if mark["type"] == "point":
            lines += ["The points are hollow."] if not mark["filled"] else []
            lines += (
                [f"The points are {mark['opacity'] * 100:g} % opaque."]
                if mark["opacity"] < 1
                else []
            )
        scale = (encoding.get("y") or {} if _horizontal(part) else encoding.get("x") or {}).get(
            "scale"
        ) or {}
        if "paddingInner" in scale:
            lines.append(f"The gaps between the bars are {scale['paddingInner'] * 100:g} %.")
        angle = ((encoding.get("x") or {}).get("axis") or {}).get("labelAngle")
        if angle:
            lines.append(f"The category names are turned by {-angle} degrees.")
        if mark["type"] == "tick":
            lines.append(f"The ticks are {mark['opacity'] * 100:g} % opaque.")
        if mark["type"] == "errorband":
            lines.append("The intervals are drawn as bands around the lines.")
        if "color" in mark and mark["type"] != "errorbar":
            lines.append(f"All marks are {mark['color']}.")
    return list(dict.fromkeys(lines))


# axes and legends


def _axes(drawn: list[Json]) -> list[str]:
    lines: list[str] = []
    for view in drawn:
        encoding = view["encoding"]
        right = (encoding.get("y", {}).get("axis") or {}).get("orient") == "right"
        for channel in ("x", "y"):
            if channel in encoding:
                name = "right axis" if right and channel == "y" else f"{channel}-axis"
                lines.append(f"The {name} {_axis(encoding[channel], view)}.")
    return list(dict.fromkeys(lines))


def _axis(channel: Json, view: Json) -> str:
    told = f'is titled "{channel["title"]}"'
    if channel["type"] == "nominal":
        return f"{told} and lists {_names(channel['sort'])}"
    if channel["type"] == "temporal":
        days = [datetime.fromtimestamp(stamp / 1000, UTC) for stamp in channel["axis"]["values"]]
        if channel["axis"]["format"] == "%Y":
            years = [int(row[channel["field"]][:4]) for row in _rows(view)]
            ticks = ", ".join(str(day.year) for day in days)
            return f"{told} and runs from {min(years)} to {max(years)}, with ticks at {ticks}"
        return f"{told} and is labelled at {', '.join(day.strftime('%b %Y') for day in days)}"
    form, scale = channel["axis"].get("format", ""), channel["scale"]
    low, high = (_exact(end, form) for end in scale["domain"])
    log = " on a log scale" if scale.get("type") == "log" else ""
    if scale.get("type") == "symlog":
        log = f" on a symmetric log scale, linear up to {scale['constant']:g},"
    ticks = ", ".join(label(value, form) for value in channel["axis"]["values"])
    return f"{told}{log} and runs from {low} to {high}, with ticks at {ticks}"


def _legends(drawn: list[Json], side: str, *, direct: bool) -> list[str]:
    lines = []
    for view in drawn:
        color, size = view["encoding"].get("color"), view["encoding"].get("size")
        if color and "scale" in color:
            lines += _legend(color, side)
        lines += _variants(view["encoding"])
        if size:
            form = size["legend"]["format"]
            ticks = ", ".join(label(value, form) for value in size["legend"]["values"])
            low, high = size["scale"]["domain"]
            lines.append(
                f'The sizes are titled "{size["title"]}" and run from {low:g} to {high:g},'
                f" with ticks at {ticks}."
            )
    if direct:
        lines.append("The names of the series stand at the ends of their lines.")
    return list(dict.fromkeys(lines))


def _legend(color: Json, side: str) -> list[str]:
    title = f' and is titled "{color["title"]}"' if color.get("title") else ""
    pairs = zip(color["scale"]["domain"], color["scale"]["range"], strict=True)
    shades = ", ".join(f'"{name}" is {shade}' for name, shade in pairs) + "."
    look = color.get("legend", {})
    if look is None:
        return [shades]
    if corner := look.get("orient"):
        return [f"The legend is inside the plot at the {corner.replace('-', ' ')}{title}.", shades]
    return [f"The legend is at the {side}{title}.", shades]


_DASHES = {
    (1, 0): "solid", (6, 3): "dashed", (2, 2): "dotted", (8, 3, 2, 3): "dash-dotted",
    (4, 2): "short-dashed", (10, 4): "long-dashed", (1, 3): "sparsely dotted",
    (6, 2, 1, 2): "dash-dot-dotted",
}  # fmt: skip
_SHAPES = {
    "circle": "circles", "square": "squares", "triangle-up": "triangles", "diamond": "diamonds",
    "cross": "crosses", "triangle-down": "downward triangles",
}  # fmt: skip


def _variants(encoding: Json) -> list[str]:
    """Dashes and symbols of series."""
    lines = []
    if dash := encoding.get("strokeDash"):
        pairs = zip(dash["scale"]["domain"], dash["scale"]["range"], strict=True)
        told = (f'"{name}" is drawn {_DASHES[tuple(look)]}' for name, look in pairs)
        lines.append(", ".join(told) + ".")
    if shape := encoding.get("shape"):
        pairs = zip(shape["scale"]["domain"], shape["scale"]["range"], strict=True)
        told = (f'"{name}" is drawn with {_SHAPES[look]}' for name, look in pairs)
        lines.append(", ".join(told) + ".")
    return lines


# numbers


def _numbers(view: Json, drawn: list[Json]) -> list[str]:
    mark, encoding = _mark(view), view["encoding"]
    rows = _rows(view)
    place, measure = ("y", "x") if _horizontal(view) else ("x", "y")
    form = (encoding[measure].get("axis") or {}).get("format", "")
    field = encoding[measure]["field"]
    color = encoding.get("color") or {}
    name = color.get("datum", "")
    if mark["type"] == "rule":
        return [
            (
                f"A dashed line stands across the plot at {_exact(rows[0][field], form)}, "
                f'named "{name}".'
            )
        ]
    spot = encoding[place]
    right = (encoding["y"].get("axis") or {}).get("orient") == "right"
    head = _head(mark, name, drawn, right=right)
    if mark["type"] == "boxplot":
        return _boxes(rows, spot["field"], field, form)
    if _strip(view):
        return [
            f'Values at "{at}": {", ".join(_exact(r[field], form) for r in sample)}.'
            for at in dict.fromkeys(row[spot["field"]] for row in rows)
            if (sample := [row for row in rows if row[spot["field"]] == at])
        ]
    series = color.get("field")
    panels = list(dict.fromkeys(row.get("panel") for row in rows))
    lines = []
    for panel in panels:
        members = [row for row in rows if row.get("panel") == panel]
        names = list(dict.fromkeys(row.get(series) for row in members)) if series else [None]
        for one in names:
            own = [row for row in members if series is None or row.get(series) == one]
            told = _told(mark, own, spot, encoding, field, form, drawn)
            if not told:
                continue
            start = f'Panel "{panel}": ' if panel else ""
            middle = f'Values for "{one}": ' if one is not None else head
            lines.append(f"{start}{middle}{told}.")
    return lines


def _head(mark: Json, name: str, drawn: list[Json], *, right: bool) -> str:
    if not name:
        if mark["type"] == "area" and len(drawn) > 1:
            return "The band: "
        if mark["type"] == "line" and len(drawn) > 1:
            return "The line: "
        return "Values: "
    noun = {"bar": "bars", "line": "line", "point": "points"}[mark["type"]]
    notes = (", measured on the right axis" if right else "") + (
        ", with dots" if "point" in mark else ""
    )
    return f'The {noun} named "{name}"{notes}: '


def _told(
    mark: Json,
    rows: list[Json],
    spot: Json,
    encoding: Json,
    field: str,
    form: str,
    drawn: list[Json],
) -> str:
    x_form = (spot.get("axis") or {}).get("format", "")
    pieces = []
    interval = next((v for v in drawn if _mark(v)["type"] in ("errorbar", "errorband")), None)
    series = (encoding.get("color") or {}).get("field", "")
    ends = {(r[spot["field"]], r.get(series)): r for r in _rows(interval)} if interval else {}
    if mark["type"] in ("errorbar", "errorband"):
        return ""
    for row in rows:
        if spot.get("bin") == "binned":
            pieces.append(
                f"{_exact(row['from'], x_form)} to {_exact(row['to'], x_form)}: "
                f"{_exact(row[field], form)}"
            )
            continue
        place = _place(row[spot["field"]], spot, x_form)
        if "y2" in encoding:
            pieces.append(
                f"{place}: from {_exact(row['low'], form)} to {_exact(row['high'], form)}"
            )
            continue
        if row[field] is None:
            continue
        value = _exact(row[field], form)
        if mark["type"] == "point" and spot["type"] == "quantitative":
            size = f", size {row['size']:g}" if "size" in row else ""
            pieces.append(f"({place}, {value}{size})")
            continue
        own = ends.get((row[spot["field"]], row.get(series)))
        wide = f" ({_exact(own['low'], form)} to {_exact(own['high'], form)})" if own else ""
        pieces.append(f"{place}: {value}{wide}")
    return ", ".join(pieces)


def _place(value: Any, spot: Json, form: str) -> str:
    if spot["type"] == "temporal":
        day = datetime.fromisoformat(value)
        return str(day.year) if form == "%Y" else f'"{day.strftime("%b %Y")}"'
    return f'"{value}"' if isinstance(value, str) else _exact(value, form)


def _boxes(rows: list[Json], spot: str, field: str, form: str) -> list[str]:
    samples: dict[str, list[float]] = {}
    for row in rows:
        samples.setdefault(row[spot], []).append(row[field])
    lines = []
    for name, sample in samples.items():
        low, q1, median, q3, high, *outside = (_exact(v, form) for v in box_numbers(sorted(sample)))
        outliers = f", outliers {', '.join(outside)}" if outside else ""
        lines.append(
            f'"{name}": whiskers {low} and {high}, quartiles {q1} and {q3}, median {median}'
            f"{outliers}."
        )
    return lines


def _circle(view: Json, side: str) -> list[str]:
    color, theta = view["encoding"]["color"], view["encoding"]["theta"]
    slices = ", ".join(f'"{row[color["field"]]}": {row[theta["field"]]:g}' for row in _rows(view))
    return [*_legend(color, side), f"Slices: {slices}."]


def _heat_map(view: Json, side: str) -> list[str]:
    encoding = view["encoding"]
    color, x, y = encoding["color"], encoding["x"], encoding["y"]
    form = color["legend"]["format"]
    ticks = ", ".join(label(value, form) for value in color["legend"]["values"])
    low, high = (_exact(end, form) for end in color["scale"]["domain"])
    lines = [
        f"The x-axis {_axis(x, view)}.",
        f'The y-axis is titled "{y["title"]}".',
        f'The color scale, from {", ".join(color["scale"]["range"])}, is titled "{color["title"]}" '
        f"and runs from {low} to {high}, with ticks at {ticks}.",
        f"The legend is at the {side}.",
    ]
    for name in y["sort"]:
        cells = ", ".join(
            f'"{row[x["field"]]}": {_exact(row[color["field"]], form)}'
            for row in _rows(view)
            if row[y["field"]] == name and row[color["field"]] is not None
        )
        lines.append(f'Row "{name}": {cells}.')
    return lines


def _notes(views: list[Json]) -> list[str]:
    """Lines across and up, regions, and words at a place. A text follows its line or region."""
    lines = []
    shape: Json = {}
    for view in views:
        [row] = _rows(view)
        if "note" not in row:
            shape = row
        elif "x2" in shape:
            lines.append(
                f"The region from x = {shape['x']:.12g} to x = {shape['x2']:.12g} is shaded, "
                f'labelled "{row["note"]}".'
            )
        elif "x" in shape:
            lines.append(
                f'A vertical dashed line stands at x = {shape["x"]:.12g}, labelled "{row["note"]}".'
            )
        elif "y" in shape:
            lines.append(
                f"A dashed line stands across the plot at {shape['y']:.12g}, "
                f'labelled "{row["note"]}".'
            )
        else:
            place = f"({row['x']:.12g}, {row['y']:.12g})"
            lines.append(f'The words "{row["note"]}" stand at {place}.')
        if "note" in row:
            shape = {}
    return lines


# words


def _names(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _exact(value: float, form: str) -> str:
    """A number to twelve digits, in per cent where its axis is."""
    if form.endswith("%"):
        return f"{value * 100:.12g}%"
    return f"{value:.12g}" if abs(value) < 1e12 else f"{value:.0f}"


def label(value: float, form: str) -> str:
    """A tick's label, with a hyphen for the minus sign. Without a format it is a power of ten."""
    if not form:
        return power_of_ten(value) if value else "0"
    return format_number(value, form).replace("−", "-")
