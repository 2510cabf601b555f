"""Samples: box plots, histograms, means with intervals."""

from __future__ import annotations

from inward_charts.draft import Draft, scaled, slug
from inward_charts.figure import Axis, Figure, Layer, Record
from inward_charts.kinds.shared import category_axis
from inward_charts.numbers import nice_ticks, tidy

_SAMPLE = {1: (15, 25), 2: (20, 40), 3: (30, 60)}


def box_plot(draft: Draft) -> Figure:
    measure = draft.measure()
    groups = draft.categories({1: 4, 2: 5, 3: 7}[draft.level])
    y = draft.axis(measure, zero=draft.rng.random() < 0.3)
    low, high = draft.window(measure)
    records = []
    for name in groups.members:
        centre = draft.rng.uniform(0.3, 0.7)
        spread = draft.rng.uniform(0.06, 0.16)
        for _ in range(draft.count(_SAMPLE)):
            wide = 2.6 if draft.chance(0.02, 0.04, 0.05) else 1.0
            part = min(max(draft.rng.gauss(centre, spread * wide), 0.0), 1.0)
            value = round(low + (high - low) * part, measure.decimals)
            records.append(Record(name, scaled(y, value)))
    return draft.figure(
        "box_plot",
        category_axis(groups),
        y,
        Layer("box", tuple(records)),
        title=draft.title(f"Distribution of {measure.name} by {groups.name.lower()}"),
    )


def histogram(draft: Draft) -> Figure:
    measure = draft.measure()
    count = draft.count({1: (5, 7), 2: (7, 11), 3: (10, 16)})
    edges = nice_ticks(*draft.window(measure), count)
    centre, spread = draft.rng.uniform(0.3, 0.7), draft.rng.uniform(0.12, 0.3)
    total = draft.rng.choice((60, 240, 900, 5200))
    second = draft.rng.uniform(0.0, 1.0) if draft.chance(0.0, 0.3, 0.5) else None
    records = []
    for i in range(len(edges) - 1):
        part = (i + 0.5) / (len(edges) - 1)
        height = 2.718 ** -(((part - centre) / spread) ** 2)
        if second is not None:
            height += 0.7 * 2.718 ** -(((part - second) / 0.1) ** 2)
        number = max(1, round(total / len(edges) * height * draft.rng.uniform(0.8, 1.2)))
        low, high = edges[i], edges[i + 1]
        records.append(Record(tidy((low + high) / 2), float(number), low=low, high=high))
    title = draft.title(f"Distribution of {measure.name}", f"Histogram of {measure.name}")
    x = Axis(measure.title, slug(measure.name), "number", bins=edges)
    y = Axis(draft.rng.choice(("Count", "Frequency", "Number of observations")), "count", "number")
    return draft.figure("histogram", x, y, Layer("bar", tuple(records)), title=title)


def error_bars(draft: Draft) -> Figure:
    """Means with intervals, as points or as bars."""
    measure = draft.measure(positive=True)
    groups = draft.categories(8)
    y = draft.axis(measure)
    span = measure.high - measure.low
    means, ranges = [], []
    for name, value in zip(groups.members, draft.values(measure, len(groups.members)), strict=True):
        down = min(span * draft.rng.uniform(0.02, 0.1), value * 0.9)
        up = down if draft.level < 3 else span * draft.rng.uniform(0.02, 0.1)
        low = scaled(y, round(value - down, measure.decimals))
        high = scaled(y, round(value + up, measure.decimals))
        means.append(Record(name, scaled(y, value)))
        ranges.append(Record(name, low=low, high=high))
    mark = "bar" if draft.rng.random() < 0.5 else "point"
    return draft.figure(
        "error_bars",
        category_axis(groups),
        y,
        Layer("bar" if mark == "bar" else "point", tuple(means)),
        Layer("interval", tuple(ranges)),
        title=draft.title(
            f"{measure.name} by {groups.name.lower()}, mean and 95 % interval",
            f"Mean {measure.name[0].lower()}{measure.name[1:]}",
        ),
    )
