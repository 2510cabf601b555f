"""The text that a figure shows, piece by piece, in no order that matters."""

from __future__ import annotations

from inward_charts.figure import Axis, Figure, Sheet
from inward_charts.layout import Layout, lay_out
from inward_charts.numbers import format_date, format_number


def words(figure: Figure | Sheet) -> tuple[str, ...]:
    """Titles, tick labels, legend entries, panel headings, printed values, notes of `figure`."""
    if isinstance(figure, Sheet):
        return (*figure.title, *(text for panel in figure.figures for text in words(panel)))
    layout = lay_out(figure)
    shown = [*figure.title]
    if figure.kind == "arc":
        shown.append(figure.x.title)
    else:
        shown += _axes(figure, layout)
    shown += [*figure.legend]
    if figure.series_title and figure.kind != "heat_map" and figure.style.legend != "direct":
        shown.append(figure.series_title)
    if layout.size is not None:
        shown += [figure.size_title, *layout.size.labels]
    if figure.panels:
        shown += [figure.panel_title, *figure.panels]
    for layer in figure.layers:
        if layer.printed:
            shown += [format_number(r.y, layout.printed) for r in layer.records if r.y is not None]
    return (*shown, *(note.text for note in figure.notes))


def _axes(figure: Figure, layout: Layout) -> list[str]:
    # Every column of panels has the axis of x under it, and every row that of y beside it.
    columns = min(figure.columns, len(figure.panels)) if figure.panels else 1
    rows = -(-len(figure.panels) // columns) if figure.panels else 1
    shown = [figure.x.title, *_labels(figure.x, layout)] * columns
    shown += [figure.y.title, *layout.y.labels] * rows
    if figure.kind == "heat_map":
        shown += [figure.series_title]
    if figure.right is not None and layout.right is not None:
        shown += [figure.right.title, *layout.right.labels]
    return shown


def _labels(axis: Axis, layout: Layout) -> list[str]:
    if axis.type == "category":
        return list(axis.members)
    if axis.type == "time":
        return [format_date(day, axis.time_format) for day in layout.dates]
    assert layout.x is not None
    return list(layout.x.labels)
