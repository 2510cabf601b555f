"""What every part of the matplotlib writer needs to know of a figure."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from matplotlib.figure import Figure as Canvas

from inward_charts.figure import Figure, Layer, Record
from inward_charts.layout import Layout, lay_out


class Pen:
    """A figure, its layout and the canvas that it is drawn on."""

    def __init__(self, figure: Figure, canvas: Canvas) -> None:
        self.figure, self.canvas = figure, canvas
        self.style = figure.style
        self.layout: Layout = lay_out(figure)

    def text(self, size: int, **more: Any) -> dict[str, Any]:
        return {
            "fontsize": size,
            "color": self.style.ink,
            "family": self.style.font,
            **more,
        }

    def place(self, record: Record) -> float:
        if isinstance(record.x, str):
            return self.figure.x.members.index(record.x) if record.x else 0.0
        return record.x

    def colour(self, layer: Layer, series: str | None) -> str:
        names = self.figure.legend
        name = series if series is not None else layer.name
        place = names.index(name) if name in names else 0
        return self.style.palette[place % 8]

    def by_series(self, records: list[Record]) -> dict[str | None, list[Record]]:
        """Records of each series, in the legend's order."""
        groups: dict[str | None, list[Record]] = defaultdict(list)
        for record in records:
            groups[record.series].append(record)
        order: list[str | None] = [s for s in self.figure.series if s in groups] or list(groups)
        return {name: groups[name] for name in order}
