"""What a chart really shows, in plain types: the table as drawn, the visible text, the marks.

The surprise: the table is read after every transform and from visible marks only. A row that is
clipped, transparent, covered, off the canvas or smaller than a few pixels is not in it, whatever
the specification's data says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Key = str | float


@dataclass(frozen=True)
class Row:
    """One number that the chart shows, and where it shows it.

    `keys` are the other things that the mark is placed by, in the order position, offset, series
    (colour, shape, line), facet; a key that repeats an earlier one is left out:

    - bar, line, area, tick of value against category: `(category[, series][, facet])`;
    - line, area, scatter over numbers: `(x[, series][, facet])`, value y; x is a float;
    - dates are ISO strings without a trailing midnight (`"2024-03-01"`), and so are names that are
      a month or a day of a year (`"Mar 2024"`);
    - histogram: `(middle of the bin,)`, value count;
    - arc: `(category,)`, value its part of the circle;
    - heat map: `(x, y)`, value the colour's number; sizes likewise: `(x, y[, series])`;
    - box, error bar, band, range: several rows with equal keys, one for each number drawn.

    Names and numbers are what the axis or the legend prints for them: `Jan` for 1 where that is its
    label, 45 for 0.45 where the labels are `20`, `40`. A colour that no legend and no text names is
    no key.

    Rows are a set: a line and the points on it, or a bar and its printed value, are one row.
    """

    keys: tuple[Key, ...]
    value: float
    span: float | None = field(default=None, compare=False)
    """What the values of its scale span as drawn, which is what an error is a part of: from the
    lowest to the highest, and half the length of the longest bar at least; in natural logarithms
    where `log`."""
    log: bool = field(default=False, compare=False)
    """Whether the scale is logarithmic."""


@dataclass(frozen=True)
class Scene:
    """The plain content of one rendered chart."""

    rows: tuple[Row, ...]
    texts: tuple[str, ...]
    """Visible text in drawing order: tick labels, titles, legend entries, text marks."""
    marks: tuple[str, ...]
    """Kinds of visible data marks, sorted, each once: arc, area, bar, line, point, rect, rule,
    text, tick."""
    encodings: tuple[str, ...]
    """`channel:kind` of visible data marks, sorted, each once. Channels: x, y, theta, radius,
    color, size, shape, strokeDash, opacity, xOffset, yOffset, text, facet; kinds: discrete,
    quantitative, temporal."""

    def check_readable(self, name: str = "") -> None:
        """Raises `ValueError`, with the chart's name or its texts, where it shows no number."""
        if not self.rows:
            known = name or f"with the texts {' / '.join(self.texts)[:100]!r}"
            raise ValueError(
                f"the reference chart {known} shows no number that can be read (its marks: "
                f"{', '.join(self.marks) or 'none'}), so no table can be scored against it: leave "
                "it out, or score likeness alone"
            )

    def to_json(self) -> dict[str, Any]:
        rows = [[list(row.keys), row.value, row.span, row.log] for row in self.rows]
        return {
            "rows": rows,
            "texts": list(self.texts),
            "marks": list(self.marks),
            "encodings": list(self.encodings),
        }

    @cached_property
    def packed(self) -> bytes:
        """`to_json` as bytes."""
        return json.dumps(self.to_json()).encode()

    @staticmethod
    def from_json(data: dict[str, Any]) -> Scene:
        return Scene(
            rows=tuple(
                Row(tuple(keys), float(value), span, log) for keys, value, span, log in data["rows"]
            ),
            texts=tuple(data["texts"]),
            marks=tuple(data["marks"]),
            encodings=tuple(data["encodings"]),
        )


@dataclass(frozen=True)
class Rendered:
    """A chart as an image and as content. `width` and `height` are in pixels."""

    png: bytes
    width: int
    height: int
    scene: Scene


def unique_rows(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows without repeats, in order of first appearance: a table as `Scene` holds it."""
    return tuple(dict.fromkeys(rows))
