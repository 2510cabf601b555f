"""Clouds of points, plain, by series and sized."""

from __future__ import annotations

from inward_charts.draft import Draft, scaled
from inward_charts.figure import Axis, Figure, Layer, Record
from inward_charts.subjects import Measure

_CLOUD = {1: (12, 24), 2: (24, 40), 3: (40, 80)}


def cloud(draft: Draft, measure: Measure, y: Axis, count: int) -> tuple[Axis, list[Record]]:
    """Points with a random correlation between a second measure and `measure`."""
    other = draft.measure(other=measure)
    x = draft.axis(other, zero=draft.rng.random() < 0.3)
    spread = other.low > 0 and other.high / other.low > 30
    log = spread and draft.chance(0.0, 0.3, 0.6)
    if log:
        x = Axis(x.title, x.field, "number", log=True)
    lean = draft.rng.uniform(-1, 1)
    (left, right), (low, high) = draft.window(other), draft.window(measure)
    records = []
    for _ in range(count):
        u = draft.rng.random()
        v = min(max(0.5 + lean * (u - 0.5) + draft.rng.gauss(0, 0.13), 0.0), 1.0)
        place = other.low * (other.high / other.low) ** u if log else left + (right - left) * u
        value = round(low + (high - low) * v, measure.decimals)
        records.append(
            Record(
                scaled(x, max(round(place, other.decimals), other.low if log else place)),
                scaled(y, value),
            )
        )
    return x, records


def scatter(draft: Draft) -> Figure:
    measure = draft.measure()
    y = draft.axis(measure, zero=draft.rng.random() < 0.3)
    x, records = cloud(draft, measure, y, draft.count(_CLOUD))
    title = draft.title(f"{measure.name} against {x.title.split(' (')[0].lower()}")
    return draft.figure("scatter", x, y, Layer("point", tuple(records)), title=title, wide=True)


def scatter_groups(draft: Draft) -> Figure:
    measure = draft.measure()
    y = draft.axis(measure, zero=draft.rng.random() < 0.3)
    x, records = cloud(draft, measure, y, draft.count(_CLOUD))
    series = draft.series(4)
    named = tuple(
        Record(r.x, r.y, series.members[i % len(series.members)]) for i, r in enumerate(records)
    )
    return draft.figure(
        "scatter_groups",
        x,
        y,
        Layer("point", named),
        title=draft.title(f"{measure.name} by {series.name.lower()}"),
        wide=True,
        series_title=series.name,
        series=series.members,
    )


_BUBBLES = {1: (6, 9), 2: (8, 14), 3: (12, 22)}


def bubble(draft: Draft) -> Figure:
    """Points whose area is a third measure."""
    measure = draft.measure(positive=True)
    y = draft.axis(measure, zero=draft.rng.random() < 0.3)
    x, records = cloud(draft, measure, y, draft.count(_BUBBLES))
    low, high = 5, draft.rng.choice((60, 240, 900))
    series = draft.series(4) if draft.chance(0.0, 0.5, 0.8) else None
    sized = tuple(
        Record(
            r.x,
            r.y,
            series.members[i % len(series.members)] if series else None,
            size=float(draft.rng.randint(low, high)),
        )
        for i, r in enumerate(records)
    )
    return draft.figure(
        "bubble",
        x,
        y,
        Layer("point", sized),
        title=draft.title(f"{measure.name} and sample size"),
        wide=True,
        size_title="Sample size",
        series_title=series.name if series else "",
        series=series.members if series else (),
    )
