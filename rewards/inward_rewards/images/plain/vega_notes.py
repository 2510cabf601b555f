"""Remarks, names at the ends of lines, dashes and symbols, as parts of a specification."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from inward_rewards.images.plain.chart import Kind, Note, Number, PlainChart

Json = dict[str, Any]

DASHES: dict[str, list[float]] = {
    "solid": [1, 0],
    "dashed": [6, 3],
    "dotted": [2, 2],
    "dash-dotted": [8, 3, 2, 3],
    "short-dashed": [4, 2],
    "long-dashed": [10, 4],
    "sparsely dotted": [1, 3],
    "dash-dot-dotted": [6, 2, 1, 2],
}
"""Lengths of stroke and gap in pixels, by their names."""
LOG_TEN = math.log(10)
MAX_EXPRESSION = 200
"""Characters, as the linter has it."""


def power_labels(ticks: Sequence[Number]) -> str:
    """The expression that labels ticks as they were written, 10^-3; empty where none was so.

    By a tick's value: which ticks are drawn, and in which order, is the scale's matter.
    """
    ticks = ticks[:40]
    if not any(tick.power for tick in ticks):
        return ""
    plain = {tick.value for tick in ticks if not tick.power}
    others = "".join(f"datum.value=={value!r}?'{value:.6g}':" for value in sorted(plain))
    expression = f"{others}(datum.value<0?'-':'')+'10^'+round(log(abs(datum.value))/{LOG_TEN})"
    return expression if len(expression) <= MAX_EXPRESSION else ""


def variants(chart: PlainChart, names: list[str], color: Json, kind: Kind, *, dots: bool) -> Json:
    """Dashes and symbols of the series, where they are told."""
    found: Json = {}
    if chart.dashes and kind in ("line", "step"):
        looks = [DASHES[chart.dashes.get(name.lower(), "solid")] for name in names]
        found["strokeDash"] = color | {"scale": {"domain": names, "range": looks}}
    if chart.markers and (kind == "point" or (dots and kind in ("line", "step"))):
        shapes = [chart.markers.get(name.lower(), "circle") for name in names]
        found["shape"] = color | {"scale": {"domain": names, "range": shapes}}
    return found


def notes(chart: PlainChart, places: Json, ink: str, size: float) -> tuple[list[Json], list[Json]]:
    """The views below the marks, and those above. `places` are the channels x and y of the plot."""
    below: list[Json] = []
    above: list[Json] = []
    line = {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1, "color": ink}
    for note in chart.notes:
        match note.sort:
            case "level":
                above.append(_view(places, line, y=note.y))
                look = {"align": "right", "dx": -3, "dy": -4, "baseline": "bottom"}
                place = _view(places, look, y=note.y)
                place["encoding"]["x"] = {"value": "width"}
            case "moment":
                above.append(_view(places, line, x=note.x))
                above[-1]["encoding"] |= {"y": {"value": "height"}, "y2": {"value": 0}}
                look = {"align": "left", "dx": 4, "dy": 3, "baseline": "top"}
                place = _view(places, look, x=note.x)
                place["encoding"]["y"] = {"value": 0}
            case "span":
                region = {"type": "rect", "color": "#c9a227", "opacity": 0.22}
                below.append(_view(places, region, x=note.x, x2=note.x2))
                look = {"align": "center", "dy": 3, "baseline": "top"}
                place = _view(places, look, x=_middle(note, log=chart.x.log))
                place["encoding"]["y"] = {"value": 0}
            case "words":
                look = {"align": "left", "dx": 7, "dy": -7}
                place = _view(places, look, x=note.x, y=note.y)
        if note.text:
            place["mark"] |= {"type": "text", "fontSize": size, "color": ink}
            place["data"]["values"][0]["note"] = note.text
            place["encoding"]["text"] = {"field": "note", "type": "nominal"}
            above.append(place)
    return below, above


def _middle(note: Note, *, log: bool) -> str | float:
    if isinstance(note.x, str) or isinstance(note.x2, str):
        return note.x
    return (
        math.sqrt(note.x * note.x2) if log and min(note.x, note.x2) > 0 else (note.x + note.x2) / 2
    )


def _view(places: Json, mark: Json, **at: str | float) -> Json:
    """A mark of one row at places of the plot's axes."""
    encoding: Json = {}
    for name in at:
        if name == "x2":
            encoding["x2"] = {"field": "x2"}
        else:
            channel = {k: v for k, v in places[name].items() if k not in ("bin", "stack")}
            encoding[name] = channel | {"field": name}
    return {"data": {"values": [dict(at)]}, "mark": dict(mark), "encoding": encoding}


def beside_lines(
    chart: PlainChart, places: Json, color: Json, size: float, height: float
) -> list[Json]:
    """Each series' name beside the end of its line, a line of text from the next."""
    ends = []
    for series in chart.series:
        # A reference line has no place along x, and so no end.
        placed = [(o.y, o.x) for o in series.observations if o.y is not None and o.x is not None]
        if series.name and placed and series.kind != "band":
            ends.append((*placed[-1], series.name))
    if not ends:
        return []
    log = chart.y.log and min(end for end, _, _ in ends) > 0
    moved = [math.log10(end) if log else end for end, _, _ in ends]
    everything = [
        o.y
        for s in chart.series
        for o in s.observations
        if o.y is not None and not (log and o.y <= 0)
    ]
    low, high = (
        told if told is not None and not (log and told <= 0) else end(everything)
        for told, end in ((chart.y.low, min), (chart.y.high, max))
    )
    if log:
        low, high = math.log10(low), math.log10(high)
    step = (size + 2) / height * ((high - low) or 1.0)
    order = sorted(range(len(ends)), key=lambda i: moved[i])
    for _ in range(100):
        # Neighbours that are too near push each other apart, evenly.
        for below, above in itertools.pairwise(order):
            lack = step - (moved[above] - moved[below])
            if lack > 0:
                moved[below] -= lack / 2
                moved[above] += lack / 2
    rows = [
        {"x": x, "y": 10 ** min(place, 300.0) if log else place, "s": name}
        for (_, x, name), place in zip(ends, moved, strict=True)
    ]
    mark = {"type": "text", "align": "left", "baseline": "middle", "dx": 6, "fontSize": size}
    text = {"field": "s", "type": "nominal"}
    channels = {
        name: {k: v for k, v in places[name].items() if k != "stack"} | {"field": name}
        for name in ("x", "y")
    }
    encoding = channels | {"color": color, "text": text}
    return [{"data": {"values": rows}, "mark": mark, "encoding": encoding}]
