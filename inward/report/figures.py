"""What the pictures of a report show, as numbers: computed over all rollouts of a section, also
where the page holds a sample of them."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from inward_statistics import clustered_mean, correlation

from inward.measured import is_finite
from inward.report.rows import Row

BINS = 20
MAX_DOTS = 600
"""Of a scatter plot: a fixed choice, by the rollouts' ids."""
MAX_BARS = 12
MAX_SERIES = 2000
"""prime-rl logs some 80 figures per seat, of each environment, over all rollouts and those that
were trained on."""
MAX_POINTS = 500

Figure = dict[str, Any]


def figures(rows: Sequence[Row], chance: float | None) -> list[Figure]:
    """Every picture that the rows hold something for."""
    scored = [row for row in rows if row.status == "scored" and row.reward is not None]
    found = [
        _histogram("Reward", "reward", [row.reward for row in scored if row.reward is not None]),
        _lengths(scored),
        _by_calls(scored, chance),
        _dots("Entropy against reward", scored, _entropy, lambda r: r.reward, "entropy", "reward"),
        _dots(
            "Entropy against length", scored, _entropy, lambda r: r.tokens_out, "entropy", "tokens"
        ),
        _dots(
            "Length against reward",
            scored,
            lambda r: r.tokens_out,
            lambda r: r.reward,
            "completion tokens",
            "reward",
        ),
        _layers(scored),
    ]
    return [figure for figure in found if figure is not None]


def _histogram(title: str, label: str, values: Sequence[float]) -> Figure | None:
    if not values:
        return None
    edges = _edges(values)
    return {
        "kind": "histogram",
        "title": title,
        "x": label,
        "edges": edges,
        "series": [{"name": "rollouts", "counts": _counts(values, edges)}],
    }


def _lengths(rows: Sequence[Row]) -> Figure | None:
    """Completion tokens of right and of wrong rollouts, where the headline figure is 0 or 1."""
    judged = [row for row in rows if row.right is not None and row.tokens_out is not None]
    if not judged or any(row.right not in (0.0, 1.0) for row in judged):
        return None
    lengths = [float(row.tokens_out or 0) for row in judged]
    if max(lengths) == 0:
        return None
    edges = _edges(lengths)
    series = []
    for name, wanted in (("right", 1.0), ("wrong", 0.0)):
        values = [float(row.tokens_out or 0) for row in judged if row.right == wanted]
        mean = statistics.fmean(values) if values else None
        series.append({"name": name, "counts": _counts(values, edges), "mean": mean})
    return {
        "kind": "histogram",
        "title": "Length of right and wrong rollouts",
        "x": "completion tokens",
        "edges": edges,
        "series": series,
    }


def _by_calls(rows: Sequence[Row], chance: float | None) -> Figure | None:
    """The headline figure by the number of tool calls, with the intervals of the environment."""
    judged = [row for row in rows if row.right is not None]
    if not any(row.calls for row in judged):
        return None
    groups: dict[int, list[Row]] = defaultdict(list)
    for row in judged:
        groups[min(row.calls, MAX_BARS)].append(row)
    bars = []
    for calls, members in sorted(groups.items()):
        mean = clustered_mean([r.right or 0.0 for r in members], [r.cluster for r in members])
        known = math.isfinite(mean.low)
        bars.append(
            {
                "x": f"{calls}{'+' if calls == MAX_BARS else ''}",
                "mean": mean.value,
                "interval": [mean.low, mean.high] if known else None,
                "count": mean.count,
            }
        )
    return {
        "kind": "bars",
        "title": "Score by number of tool calls",
        "x": "tool calls",
        "y": "mean",
        "bars": bars,
        "chance": chance,
    }


def _entropy(row: Row) -> float | None:
    """The normalised matrix entropy of a measured rollout, else the mean over its layers."""
    named = next((v for k, v in row.values.items() if k.endswith("entropy_normalised")), None)
    if named is not None or row.layers is None:
        return named
    return statistics.fmean(row.layers[1])


def _dots(
    title: str,
    rows: Sequence[Row],
    x: Callable[[Row], float | None],
    y: Callable[[Row], float | None],
    x_label: str,
    y_label: str,
) -> Figure | None:
    found = [(a, b, row) for row in rows if (a := x(row)) is not None and (b := y(row)) is not None]
    if len(found) < 3 or len({a for a, _, _ in found}) == 1:
        return None
    chosen = sorted(found, key=lambda dot: dot[2].rank)[:MAX_DOTS]
    return {
        "kind": "dots",
        "title": title,
        "x": x_label,
        "y": y_label,
        "dots": [[a, b, row.id, row.right] for a, b, row in chosen],
        "shown": len(chosen),
        "of": len(found),
        "correlation": correlation([a for a, _, _ in found], [b for _, b, _ in found]),
    }


def _layers(rows: Sequence[Row]) -> Figure | None:
    """Mean matrix entropy of each layer, of right and of wrong rollouts."""
    measured = [row for row in rows if row.layers is not None]
    if not measured:
        return None
    [(layers, _)] = Counter(row.layers[0] for row in measured if row.layers).most_common(1)
    lines = []
    for name, wanted in (("right", 1.0), ("wrong", 0.0), ("rollouts", None)):
        values = [
            row.layers[1]
            for row in measured
            if row.layers
            and row.layers[0] == layers
            and (row.right == wanted if wanted is not None else row.right not in (0.0, 1.0))
        ]
        if values:
            means = [statistics.fmean(each) for each in zip(*values, strict=True)]
            points = [list(point) for point in zip(layers, means, strict=True)]
            lines.append({"name": f"{name} ({len(values)})", "points": points})
    return {
        "kind": "lines",
        "title": "Matrix entropy by layer",
        "x": "layer",
        "y": "mean entropy",
        "lines": lines,
    }


@dataclass(frozen=True)
class Curves:
    """What a trainer logged."""

    shown: dict[str, list[list[float]]]
    """Name -> [step, value], by step."""
    left_out: int
    """Names beyond `MAX_SERIES`."""


def curves(rows: Iterable[dict[str, Any]]) -> Curves:
    """Of several values of a step the last. Long logs are thinned to at most `MAX_POINTS` steps at
    about equal distances, while they are read: a log has as many names as a run has steps."""
    found: dict[str, dict[int, float]] = {}
    left_out = set()
    for row in rows:
        for name, value in row.items():
            if name in ("step", "time") or not is_finite(value):
                continue
            if name not in found and len(found) >= MAX_SERIES:
                left_out.add(name)
                continue
            points = found.setdefault(name, {})
            points[row["step"]] = float(value)
            if len(points) > 2 * MAX_POINTS:
                found[name] = dict(_thinned(sorted(points.items())))
    return Curves(
        {name: [[*p] for p in _thinned(sorted(points.items()))] for name, points in found.items()},
        len(left_out),
    )


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Of the steps within a distance, which is a power of two, the last: what was thinned before
    and what was not are thinned alike."""
    if len(points) <= MAX_POINTS:
        return points
    first, last, distance = points[0][0], points[-1][0], 1
    while last // distance - first // distance >= MAX_POINTS:
        distance *= 2
    return list({step // distance: (step, value) for step, value in points}.values())


def _edges(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    if low == high:
        low, high = low - 0.5, high + 0.5
    return [low + (high - low) * n / BINS for n in range(BINS + 1)]


def _counts(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    """How many lie between each two edges; the last bin has both of its edges."""
    low, width = edges[0], (edges[-1] - edges[0]) / BINS
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, max(0, int((value - low) / width)))] += 1
    return counts
