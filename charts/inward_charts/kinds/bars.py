"""Bars: one per category, grouped, stacked, and shares of a whole."""

from __future__ import annotations

from inward_charts.draft import Draft, scaled
from inward_charts.figure import Axis, Figure, Layer, Record
from inward_charts.kinds.shared import category_axis, crossed, over, percents


def _single(draft: Draft, kind: str, layer: str = "bar", *, horizontal: bool = False) -> Figure:
    measure = draft.measure()
    groups = draft.categories(long=horizontal)
    x, y = category_axis(groups), draft.axis(measure)
    values = draft.values(measure, len(groups.members))
    if horizontal:
        values.sort(reverse=True)
    records = [Record(name, scaled(y, v)) for name, v in zip(groups.members, values, strict=True)]
    bars = Layer(
        "point" if layer == "point" else "bar",
        tuple(records),
        printed=layer == "bar" and draft.chance(0.15, 0.3, 0.45),
    )
    return draft.figure(
        kind, x, y, bars, title=draft.title(*over(measure, groups)), horizontal=horizontal
    )


def bar(draft: Draft) -> Figure:
    return _single(draft, "bar")


def bar_horizontal(draft: Draft) -> Figure:
    return _single(draft, "bar_horizontal", horizontal=True)


def dot_plot(draft: Draft) -> Figure:
    """One point a category on a horizontal scale."""
    return _single(draft, "dot_plot", "point", horizontal=True)


def bar_grouped(draft: Draft) -> Figure:
    groups, series, measure = crossed(draft, additive=False, most=6)
    x, y = category_axis(groups), draft.axis(measure)
    low, high = draft.window(measure)
    records = []
    for name in groups.members:
        base = draft.rng.random()
        for member in series.members:
            part = 0.5 * base + 0.5 * draft.rng.random()
            value = round(low + (high - low) * part, measure.decimals)
            records.append(Record(name, scaled(y, value), member))
    layer = Layer("bar", draft.lose(records), "group")
    title = draft.title(
        f"{measure.name} by {groups.name.lower()} and {series.name.lower()}",
        *over(measure, groups),
    )
    return draft.figure(
        "bar_grouped",
        x,
        y,
        layer,
        title=title,
        wide=True,
        series_title=series.name,
        series=series.members,
    )


def bar_stacked(draft: Draft) -> Figure:
    horizontal = draft.chance(0.0, 0.3, 0.4)
    groups, series, measure = crossed(draft, additive=True, long=horizontal)
    x, y = category_axis(groups), draft.axis(measure)
    low, high = draft.window(measure)
    records = [
        Record(name, round(low + (high - low) * draft.rng.random(), measure.decimals), member)
        for name in groups.members
        for member in series.members
    ]
    return draft.figure(
        "bar_stacked",
        x,
        y,
        Layer("bar", draft.lose(records), "zero"),
        title=draft.title(
            f"{measure.name} by {groups.name.lower()} and {series.name.lower()}",
            f"Total {measure.name[0].lower()}{measure.name[1:]} by {groups.name.lower()}",
        ),
        horizontal=horizontal,
        series_title=series.name,
        series=series.members,
    )


def bar_share(draft: Draft) -> Figure:
    """Stacked bars that each add up to 100 %."""
    horizontal = draft.rng.random() < 0.5
    groups, series = draft.categories(7, long=horizontal), draft.series()
    percent = draft.rng.random() < 0.5
    y = Axis(
        "Share" if percent else "Share (%)",
        "share",
        "number",
        style="percent" if percent else "plain",
        count=draft.rng.choice((4, 5)),
    )
    records = tuple(
        Record(name, scaled(y, share), member)
        for name in groups.members
        for member, share in zip(series.members, percents(draft, len(series.members)), strict=True)
    )
    return draft.figure(
        "bar_share",
        category_axis(groups),
        y,
        Layer("bar", records, "zero"),
        title=draft.title(f"Composition by {series.name.lower()} for each {groups.name.lower()}"),
        horizontal=horizontal,
        series_title=series.name,
        series=series.members,
    )
