"""How near a drawn chart comes to the chart it should be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """All in [0, 1]; None where the true scene is not known."""

    similarity: float
    """Likeness of the two pictures."""
    table: float | None
    """F1 of the tables as drawn, numbers judged by the span of their scale."""
    text: float | None
    """F1 of the visible texts."""
    rms: float | None
    """DePlot's relative mapping similarity F1 of the tables, as released: for comparison alone."""
    marks: float | None
    """Agreement of mark kinds."""
    encodings: float | None
    """Agreement of encoding channels and their kinds."""
