"""What a whole run says: is the entropy a length, and is it higher in right answers?"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import verifiers.v1 as vf


@dataclass(frozen=True)
class Row:
    """One rollout."""

    tokens: float
    entropy: float | None
    """Raw; None where nothing was measured."""
    normalised: float | None
    correct: bool


def row_of(trace: vf.Trace[Any, Any, Any]) -> Row:
    metrics = trace.metrics
    return Row(
        tokens=metrics.get("completion_tokens") or 0.0,
        entropy=metrics.get("entropy_raw"),
        normalised=metrics.get("entropy_normalised"),
        correct=bool(trace.info.get("correct")),
    )


def describe(rows: Iterable[Row]) -> list[str]:
    """Lines for the end of a run; none where nothing was measured."""
    measured = [row for row in rows if row.entropy is not None]
    if not measured:
        return []
    lengths = [row.tokens for row in measured]
    lines = []
    for name, values in [
        ("raw", [row.entropy for row in measured]),
        ("normalised", [row.normalised for row in measured]),
    ]:
        known = [value for value in values if value is not None]
        right, wrong = (
            [value for value, row in zip(known, measured, strict=True) if row.correct is flag]
            for flag in (True, False)
        )
        lines.append(
            f"{name} entropy of {len(known)} rollouts: right {_mean(right)}, "
            f"wrong {_mean(wrong)}, correlation with length {_show(correlation(lengths, known))}"
        )
    return lines


def correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Pearson's r; None for fewer than two points, or where one side does not vary."""
    if len(x) < 2:
        return None
    mean_x, mean_y = statistics.fmean(x), statistics.fmean(y)
    xy = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    xx = math.fsum((a - mean_x) ** 2 for a in x)
    yy = math.fsum((b - mean_y) ** 2 for b in y)
    return xy / math.sqrt(xx * yy) if xx > 0 and yy > 0 else None


def _mean(values: Sequence[float]) -> str:
    return _show(statistics.fmean(values) if values else None)


def _show(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
