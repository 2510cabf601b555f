"""A figure on a canvas: its panels and its titles."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from PIL import Image

from inward_charts.figure import Figure, Sheet
from inward_charts.mpl.axes import frame, label_axes, number_axis
from inward_charts.mpl.legends import draw_legends
from inward_charts.mpl.marks import draw_arc, draw_cells, draw_layer
from inward_charts.mpl.notes import draw_notes
from inward_charts.mpl.pen import Pen, raised

DPI = 72
"""So that a point is a pixel, as in Vega's sizes."""
GAP = 16
"""Pixels between the panels of a sheet."""


def matplotlib_png(figure: Figure | Sheet) -> bytes:
    """`figure` as a PNG drawn by matplotlib."""
    return _sheet(figure) if isinstance(figure, Sheet) else _plot(figure)


def _plot(figure: Figure) -> bytes:
    canvas = draw(figure)
    out = io.BytesIO()
    canvas.savefig(out, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.1)
    return out.getvalue()


def _sheet(sheet: Sheet) -> bytes:
    """The panels as separate plots, pasted side by side with their upper edges in line."""
    plots = [Image.open(io.BytesIO(_plot(panel))).convert("RGB") for panel in sheet.figures]
    rows = [plots[i : i + sheet.columns] for i in range(0, len(plots), sheet.columns)]
    widths = [max(row[i].width for row in rows if i < len(row)) for i in range(len(rows[0]))]
    heights = [max(plot.height for plot in row) for row in rows]
    words = _heading(sheet)
    top = words.height + GAP if words else 0
    size = (sum(widths) + GAP * (len(widths) - 1), top + sum(heights) + GAP * (len(rows) - 1))
    page = Image.new("RGB", size, sheet.style.background)
    if words:
        page.paste(words, ((size[0] - words.width) // 2, 0))
    for i, row in enumerate(rows):
        for j, plot in enumerate(row):
            place = (sum(widths[:j]) + GAP * j, top + sum(heights[:i]) + GAP * i)
            page.paste(plot, place)
    out = io.BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def _heading(sheet: Sheet) -> Image.Image | None:
    if not sheet.title:
        return None
    canvas = Canvas(figsize=(1, 1), dpi=DPI)
    FigureCanvasAgg(canvas)
    canvas.set_facecolor(sheet.style.background)
    look: dict[str, Any] = {
        "fontsize": sheet.style.title_size,
        "color": sheet.style.ink,
        "weight": "bold",
    }
    canvas.text(0.5, 0.5, sheet.title[0], ha="center", family=sheet.style.font, **look)
    out = io.BytesIO()
    canvas.savefig(out, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.05)
    return Image.open(out).convert("RGB")


def draw(figure: Figure) -> Canvas:
    """`figure` as a matplotlib figure of its own, on an Agg canvas."""
    panels = figure.panels or (None,)
    columns = figure.columns or 1
    rows = -(-len(panels) // columns)
    pixels = (columns * (figure.width + 14), rows * (figure.height + 34))
    canvas = Canvas(figsize=(pixels[0] / DPI, pixels[1] / DPI), dpi=DPI)
    FigureCanvasAgg(canvas)
    canvas.set_facecolor(figure.style.background)
    pen = Pen(figure, canvas)
    grid = canvas.subplots(rows, columns, squeeze=False)
    canvas.subplots_adjust(left=0, right=1, bottom=0, top=1)
    if figure.panels:
        canvas.subplots_adjust(wspace=0.08, hspace=34 / figure.height)
    for place, axes in enumerate(grid.flat):
        if place >= len(panels):
            axes.remove()
            continue
        row, column = divmod(place, columns)
        bottom = place + columns >= len(panels) or row == rows - 1
        _panel(pen, axes, panels[place], left=column == 0, bottom=bottom)
    _titles(pen)
    return canvas


def _panel(pen: Pen, axes: Axes, panel: str | None, *, left: bool, bottom: bool) -> None:
    figure = pen.figure
    axes.set_facecolor(pen.style.panel)
    if figure.kind == "arc":
        draw_arc(pen, axes, figure.layers[0])
        return
    frame(pen, axes)
    if figure.kind == "heat_map":
        draw_cells(pen, axes, figure.layers[0])
    twin = axes.twinx() if figure.right is not None else None
    for layer in figure.layers:
        records = [r for r in layer.records if r.panel == panel]
        if twin is not None and layer.right:
            draw_layer(pen, twin, layer, records)
        elif layer.mark != "cell":
            draw_layer(pen, axes, layer, records)
    label_axes(pen, axes, left=left, bottom=bottom)
    if figure.x.type == "time":
        axes.set_xlim(0, len(figure.x.members) - 1)
    if twin is not None:
        assert figure.right is not None
        assert pen.layout.right is not None
        frame(pen, twin)
        twin.patch.set_visible(False)
        number_axis(pen, twin, figure.right, pen.layout.right, "y", show=True)
    if panel is not None:
        axes.set_title(panel, **pen.text(pen.style.label_size))
    draw_notes(pen, axes)
    if panel is None or panel == figure.panels[0]:
        draw_legends(pen, axes)


def _titles(pen: Pen) -> None:
    figure, style = pen.figure, pen.style
    lift = 8
    if figure.panels:
        _over(pen, 0.5, "center", 24, figure.panel_title, style.label_size + 1)
        lift = 44
    if style.legend == "top" and (figure.legend or figure.size_title):
        lift += 50
    x, align = (0.5, "center") if style.title_anchor == "middle" else (0.0, "left")
    for words in reversed(figure.title):
        first = words == figure.title[0]
        size = style.title_size if first else style.label_size
        _over(pen, x, align, lift, words, size, weight="bold" if first else "normal")
        lift += size + 4


def _over(pen: Pen, x: float, align: str, lift: float, words: str, size: int, **more: Any) -> None:
    """Writes `lift` pixels above the plot."""
    y = 1 + lift / (pen.canvas.get_figheight() * DPI)
    pen.canvas.text(x, y, raised(words), ha=align, va="bottom", **pen.text(size, **more))
