"""One kind of chart: a row of `TABLE`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inward_charts.draft import Draft
from inward_charts.figure import Figure, Sheet


@dataclass(frozen=True)
class Kind:
    """A kind of chart, and how one is drafted."""

    name: str
    family: str
    build: Callable[[Draft], Figure | Sheet]
    """From a draft (subject, style, level) to a figure."""
    shows: str
    """In a few words, for the README."""
    weight: int = 1
    """Charts of the kind at each level in one turn of `generate`."""
