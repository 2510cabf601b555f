"""Words, lines and regions on the plot: notes, and names at the ends of lines."""

from __future__ import annotations

from collections.abc import Iterator

from inward_charts.figure import Axis, Figure, Note, Ticks
from inward_charts.layout import Layout
from inward_charts.place import label_ends, near_top
from inward_charts.vega.channels import colour, number
from inward_charts.vega.values import Json, series_field

REGION = {"color": "#c9a227", "opacity": 0.22}
"""The look of a highlighted region."""


def notes(figure: Figure, layout: Layout, *sorts: str) -> Iterator[Json]:
    """The views of the figure's notes of these sorts."""
    for note in figure.notes:
        if note.sort in sorts:
            yield from _views(figure, layout, note)


def _views(figure: Figure, layout: Layout, note: Note) -> Iterator[Json]:
    y = layout.y
    top = y.domain[1]
    line = {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1, "color": figure.style.ink}
    match note.sort:
        case "level":
            yield _view(figure, layout, line, y=note.y)
            assert layout.x is not None, "notes stand on axes of numbers"
            end = layout.x.domain[0 if note.left else 1]
            under = -1 if near_top(figure, layout, note) else 1
            look = {
                "align": "left" if note.left else "right",
                "dx": 3 if note.left else -3,
                "dy": -4 * under,
                "baseline": "bottom" if under > 0 else "top",
            }
            yield _text(figure, layout, look, note.text, end, note.y)
        case "moment":
            rule = _view(figure, layout, line, x=note.x)
            rule["encoding"] |= {"y": {"value": "height"}, "y2": {"value": 0}}
            yield rule
            look = {"align": "left", "dx": 4, "dy": 3, "baseline": "top"}
            yield _text(figure, layout, look, note.text, note.x, top)
        case "span":
            yield _view(figure, layout, {"type": "rect", **REGION}, x=note.x, x2=note.x2)
            look = {"align": "center", "dy": 3, "baseline": "top"}
            yield _text(figure, layout, look, note.text, _middle(figure.x, note), top)
        case "words":
            side = -1 if note.left else 1
            dy = 7 if near_top(figure, layout, note) else -7
            look = {"align": "right" if note.left else "left", "dx": 7 * side, "dy": dy}
            yield _text(figure, layout, look, note.text, note.x, note.y)


def _middle(axis: Axis, note: Note) -> float:
    return (note.x * note.x2) ** 0.5 if axis.log else (note.x + note.x2) / 2


def _view(figure: Figure, layout: Layout, mark: Json, **places: float) -> Json:
    """A mark of one row at places of the plot's axes."""
    encoding: Json = {}
    for name in places:
        if name == "x2":
            encoding["x2"] = {"field": "x2"}
        else:
            ticks = layout.x if name == "x" else layout.y
            encoding[name] = _channel(figure, name, ticks) | {"field": name}
    return {"data": {"values": [places]}, "mark": mark, "encoding": encoding}


def _text(figure: Figure, layout: Layout, look: Json, text: str, x: float, y: float) -> Json:
    mark = {"type": "text", "fontSize": figure.style.label_size, "color": figure.style.ink, **look}
    view = _view(figure, layout, mark, x=x, y=y)
    view["data"]["values"][0]["note"] = text
    view["encoding"]["text"] = {"field": "note", "type": "nominal"}
    return view


def _channel(figure: Figure, name: str, ticks: Ticks | None) -> Json:
    assert ticks is not None, "notes stand on axes of numbers"
    return number(figure, figure.x if name == "x" else figure.y, ticks, None)


def direct_labels(figure: Figure, layout: Layout) -> Iterator[Json]:
    """Each series' name beside the end of its line."""
    if figure.style.legend != "direct":
        return
    field = series_field(figure)
    rows = [{"x": x, "y": y, field: name} for name, x, y in label_ends(figure, layout)]
    layer = next(layer for layer in figure.layers if layer.mark == "line")
    yield {
        "data": {"values": rows},
        "mark": {
            "type": "text",
            "align": "left",
            "baseline": "middle",
            "dx": 6,
            "fontSize": figure.style.label_size,
        },
        "encoding": {
            "x": _channel(figure, "x", layout.x) | {"field": "x"},
            "y": _channel(figure, "y", layout.y) | {"field": "y"},
            "color": colour(figure, layer, layout),
            "text": {"field": field, "type": "nominal"},
        },
    }
