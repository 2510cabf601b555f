"""What counts over a whole specification: rows, views, transforms, facets and bins.

Each method spends a part of what `limits` allows, and refuses where nothing is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inward_rewards.charts.specification import limits
from inward_rewards.charts.specification.refusal import refuse


class Budget:
    """Of one specification."""

    def __init__(self) -> None:
        self.marks = 0
        self._rows = 0
        self._transforms = 0
        self._folds = 1
        self._values: dict[str, set[str]] = {}
        """Different cells by field, which is how many facets a field makes."""
        self._ends: dict[str, tuple[float, float]] = {}
        """The smallest and the largest number by field."""

    def rows(self, count: int) -> None:
        self._rows += count
        if self._rows > limits.MAX_ROWS:
            refuse(f"more than {limits.MAX_ROWS} data rows: add up or thin out")

    def cell(self, field: str, cell: Any) -> None:
        """Takes note of a cell, for the facets and bins that are made of its field."""
        self._values.setdefault(field, set()).add(repr(cell))
        if isinstance(cell, int | float):
            low, high = self._ends.get(field, (cell, cell))
            self._ends[field] = (min(low, cell), max(high, cell))

    def mark(self) -> None:
        self.marks += 1
        if self.marks > limits.MAX_MARKS:
            refuse(f"more than {limits.MAX_MARKS} marks: draw fewer views or layers")

    def transforms(self, count: int) -> None:
        self._transforms += count
        if self._transforms > limits.MAX_TRANSFORMS:
            refuse(
                f"more than {limits.MAX_TRANSFORMS} transforms: write the rows that they give in "
                "the data"
            )

    def fold(self, fields: Sequence[Any]) -> None:
        # One fold may take what another made.
        self._folds *= max(1, len(fields))
        if self._rows * self._folds > limits.MAX_FOLDED:
            refuse(f"fold makes more than {limits.MAX_FOLDED} rows: write the rows that are drawn")

    def facets(self, fields: Sequence[str]) -> None:
        """Cells of a grid by these fields, whatever a filter leaves of them."""
        cells = 1
        for field in fields:
            cells *= max(1, len(self._values.get(field, ())))
        if cells > limits.MAX_FACETS:
            refuse(
                f"{cells} facets, more than {limits.MAX_FACETS}: leave rows of the others out of "
                "the data"
            )

    def bins(self, step: float, field: Any, extent: Sequence[float] | None) -> None:
        """Steps of bins over their extent, or over the numbers of a field of the data."""
        ends = self._ends.get(field) if isinstance(field, str) else None
        low, high = extent or ends or (0.0, float("inf"))
        if step <= 0 or (high - low) / step > limits.MAX_BINS:
            refuse(
                f"bin 'step' must be a number that makes at most {limits.MAX_BINS} bins of a field "
                "of the data"
            )
