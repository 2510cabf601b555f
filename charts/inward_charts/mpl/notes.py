"""Words, lines and regions on the plot, placed as `vega.notes` places them."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from inward_charts.mpl.pen import Pen, raised
from inward_charts.place import label_ends, near_top
from inward_charts.vega import REGION


def draw_notes(pen: Pen, axes: Axes) -> None:
    """The figure's notes, and the names at the ends of its lines."""
    line: dict[str, Any] = {
        "color": pen.style.ink,
        "linestyle": (0, (5, 3)),
        "linewidth": 1.0,
        "zorder": 4,
    }
    (left, right), (_, top) = axes.get_xlim(), axes.get_ylim()
    for note in pen.figure.notes:
        match note.sort:
            case "level":
                axes.axhline(note.y, **line)
                down = near_top(pen.figure, pen.layout, note)
                dy, va = (-4, "top") if down else (4, "bottom")
                end, dx, ha = (left, 3, "left") if note.left else (right, -3, "right")
                _write(pen, axes, note.text, end, note.y, (dx, dy), ha=ha, va=va)
            case "moment":
                axes.axvline(note.x, **line)
                _write(pen, axes, note.text, note.x, top, (4, -3), ha="left", va="top")
            case "span":
                axes.axvspan(
                    note.x, note.x2, color=REGION["color"], alpha=REGION["opacity"], linewidth=0
                )
                middle = (note.x + note.x2) / 2
                _write(pen, axes, note.text, middle, top, (0, -3), ha="center", va="top")
            case "words":
                side = -7 if note.left else 7
                align = "right" if note.left else "left"
                dy = -7 if near_top(pen.figure, pen.layout, note) else 7
                _write(pen, axes, note.text, note.x, note.y, (side, dy), ha=align, va="center")
    if pen.style.legend == "direct":
        layer = next(layer for layer in pen.figure.layers if layer.mark == "line")
        for name, x, y in label_ends(pen.figure, pen.layout):
            look: dict[str, Any] = {"ha": "left", "va": "center", "color": pen.colour(layer, name)}
            _write(pen, axes, name, x, y, (6, 0), **look)


def _write(
    pen: Pen, axes: Axes, words: str, x: float, y: float, offset: tuple[int, int], **look: Any
) -> None:
    look = pen.text(pen.style.label_size) | look | {"zorder": 5, "annotation_clip": False}
    axes.annotate(raised(words), (x, y), offset, textcoords="offset points", **look)
