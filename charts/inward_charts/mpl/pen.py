"""What every part of the matplotlib writer needs to know of a figure."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from matplotlib.figure import Figure as Canvas

from inward_charts.figure import Figure, Layer, Record
from inward_charts.layout import Layout, lay_out
from inward_charts.style import DASHES


def raised(words: str) -> str:
    """Exponents after a caret as matplotlib raises them: 10^-3 becomes 10$^{-3}$."""
    if "^" not in words:
        return words
    return re.sub(r"\^(-?\d+)", r"$^{\1}$", words.replace("$", r"\$"))


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

    def _turn(self, series: str | None) -> int | None:
        """The place of a series among the figure's, where there are several."""
        names = self.figure.series
        return names.index(series) if series is not None and series in names else None

    def dash(self, series: str | None) -> Any:
        turn = self._turn(series)
        dash = DASHES[(turn or 0) % len(DASHES)] if self.style.dashed else DASHES[0]
        # matplotlib counts dashes in widths of the line.
        return "-" if dash == DASHES[0] else (0, [part / self.style.line_width for part in dash])

    def marker(self, series: str | None) -> str:
        turn = self._turn(series)
        return _MARKERS[(turn or 0) % len(_MARKERS)] if self.style.shaped else "o"

    def hatch(self, series: str | None) -> dict[str, Any]:
        turn = self._turn(series)
        if turn is None or not self.style.hatched:
            return {}
        look = {"edgecolor": self.style.ink, "linewidth": 0.6}
        return look | {"hatch": _HATCHES[turn % len(_HATCHES)]}


_MARKERS = ("o", "s", "^", "D", "P", "v")
"""`style.SHAPES` as matplotlib names them."""
_HATCHES = ("", "///", "...", "xx", "\\\\\\", "++")
