"""Numbers shown by angle or by colour: parts of a whole and heat maps."""

from __future__ import annotations

from dataclasses import replace

from inward_charts.draft import Draft, scaled
from inward_charts.figure import Axis, Figure, Layer, Record
from inward_charts.kinds.shared import category_axis, crossed, percents


def arc(draft: Draft) -> Figure:
    """A pie or a ring of parts of a whole."""
    groups = draft.categories({1: 4, 2: 6, 3: 8}[draft.level], long=True)
    y = Axis("Share (%)", "share", "number")
    shares = percents(draft, len(groups.members))
    if draft.rng.random() < 0.5:
        shares.sort(reverse=True)
    records = tuple(Record(name, float(s)) for name, s in zip(groups.members, shares, strict=True))
    return draft.figure(
        "arc",
        category_axis(groups),
        y,
        Layer("arc", records, printed=draft.chance(1.0, 0.7, 0.5)),
        title=draft.title(f"Composition by {groups.name.lower()} (%)"),
        donut=draft.rng.random() < 0.4,
        series=groups.members,
    )


def heat_map(draft: Draft) -> Figure:
    groups, series, measure = crossed(draft, additive=False, most=8)
    y = replace(draft.axis(measure, zero=False), count=3)
    low, high = draft.window(measure)
    tilt, turn = draft.rng.uniform(-0.6, 0.6), draft.rng.uniform(-0.6, 0.6)
    records = []
    for i, name in enumerate(groups.members):
        for j, member in enumerate(series.members):
            part = 0.5 + tilt * (i / len(groups.members) - 0.5)
            part += turn * (j / len(series.members) - 0.5) + draft.rng.gauss(0, 0.2)
            value = low + (high - low) * min(max(part, 0.0), 1.0)
            records.append(Record(name, scaled(y, round(value, measure.decimals)), member))
    return draft.figure(
        "heat_map",
        category_axis(groups),
        y,
        Layer("cell", draft.lose(records), printed=draft.chance(0.3, 0.4, 0.5)),
        title=draft.title(f"{measure.name} by {groups.name.lower()} and {series.name.lower()}"),
        wide=True,
        series_title=series.name,
        series=series.members,
    )
