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
    raw: float
    normalised: float
    correct: bool


def row_of(trace: vf.Trace[Any, Any, Any]) -> Row | None:
    """None where nothing was measured."""
    tokens, raw, normalised = (
        trace.metrics.get(name)
        for name in ("completion_tokens", "entropy_raw", "entropy_normalised")
    )
    if tokens is None or raw is None or normalised is None:
        return None
    return Row(tokens, raw, normalised, bool(trace.info.get("correct")))


def describe(rows: Iterable[Row | None]) -> list[str]:
    """Lines for the end of a run; none where nothing was measured."""
    measured = [row for row in rows if row is not None]
    if not measured:
        return []
    return [
        _line("raw", measured, [row.raw for row in measured]),
        _line("normalised", measured, [row.normalised for row in measured]),
    ]


def _line(name: str, rows: Sequence[Row], values: Sequence[float]) -> str:
    right, wrong = (
        [value for value, row in zip(values, rows, strict=True) if row.correct is flag]
        for flag in (True, False)
    )
    r = correlation([row.tokens for row in rows], values)
    return (
        f"{name} entropy of {len(rows)} rollouts: right {_mean(right)}, wrong {_mean(wrong)}, "
        f"correlation with length {_show(r)}"
    )


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
