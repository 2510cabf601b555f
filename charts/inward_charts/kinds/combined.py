"""Several sorts of mark, several panels, two axes."""

from __future__ import annotations

from dataclasses import replace

from inward_charts.draft import Draft, scaled
from inward_charts.figure import Axis, Figure, Layer, Record
from inward_charts.kinds.lines import lines
from inward_charts.kinds.points import cloud
from inward_charts.kinds.shared import category_axis
from inward_charts.layout import GLYPH
from inward_charts.numbers import tidy
from inward_charts.subjects import Groups


def facets(draft: Draft) -> Figure:
    """The same small chart for each of several groups."""
    measure = draft.measure()
    panels = draft.categories({1: 2, 2: 4, 3: 6}[draft.level])
    y = draft.axis(measure, zero=True)
    sort = draft.rng.choice(("bar", "line", "point"))
    records: list[Record] = []
    groups: Groups | None = None
    low, high = draft.window(measure)
    if sort == "bar":
        groups = draft.series()
        x = category_axis(groups)
        for panel in panels.members:
            values = draft.values(measure, len(groups.members))
            records += [
                Record(n, scaled(y, v), panel=panel)
                for n, v in zip(groups.members, values, strict=True)
            ]
    elif sort == "line":
        x, places = draft.steps(draft.count({1: (6, 8), 2: (8, 14), 3: (12, 24)}))
        for panel in panels.members:
            run = draft.curve(measure, (low, high), len(places))
            records += [
                Record(p, scaled(y, v), panel=panel) for p, v in zip(places, run, strict=True)
            ]
    else:
        x, points = cloud(draft, measure, y, len(panels.members) * draft.rng.randint(6, 14))
        records = [
            Record(r.x, r.y, panel=panels.members[i % len(panels.members)])
            for i, r in enumerate(points)
        ]
    x, y = replace(x, count=3), replace(y, count=4)
    glyph = (draft.style.label_size + 1) * GLYPH * 1.15
    widest = max(len(words) for words in (x.title, *panels.members))
    layer = Layer("bar" if sort == "bar" else "line" if sort == "line" else "point", tuple(records))
    return draft.figure(
        "facets",
        x,
        y,
        layer,
        title=draft.title(f"{measure.name} for each {panels.name.lower()}"),
        width=max(draft.rng.choice((110, 130, 150)), round(widest * glyph)),
        height=max(draft.rng.choice((90, 110, 130)), round(len(y.title) * glyph)),
        panel_title=panels.name,
        panels=panels.members,
        columns=2 if len(panels.members) in (2, 4) else 3,
    )


def layered(draft: Draft) -> Figure:
    """Two sorts of mark on the same axes."""
    return draft.rng.choice((_bars_and_line, _line_and_limit, _line_and_band, _points_and_trend))(
        draft
    )


def _bars_and_line(draft: Draft) -> Figure:
    groups = draft.categories(9)
    measure = draft.measure(positive=True)
    y = draft.axis(measure)
    drawn = draft.values(measure, len(groups.members))
    target = draft.values(measure, len(groups.members))
    names = draft.rng.choice((("Actual", "Target"), ("Observed", "Model"), ("This year", "Last")))
    return draft.figure(
        "layered",
        category_axis(groups),
        y,
        Layer("bar", _paired(groups.members, drawn, y), name=names[0]),
        Layer("line", _paired(groups.members, target, y), name=names[1], dots=True),
        title=draft.title(f"{measure.name}: {names[0].lower()} and {names[1].lower()}"),
        wide=True,
    )


def _paired(places: tuple[str, ...], values: list[float], axis: Axis) -> tuple[Record, ...]:
    return tuple(Record(p, scaled(axis, v)) for p, v in zip(places, values, strict=True))


def _line_and_limit(draft: Draft) -> Figure:
    figure = lines(draft, "layered", Layer("line", ()), many=False)
    (single,) = figure.layers
    values = sorted(r.y for r in single.records if r.y is not None)
    limit = values[int(len(values) * draft.rng.uniform(0.3, 0.9))]
    words = draft.rng.choice((("Measured", "Limit"), ("Actual", "Target"), ("Value", "Average")))
    return draft.figure(
        "layered",
        figure.x,
        figure.y,
        Layer("line", single.records, name=words[0]),
        Layer("rule", (Record("", limit),), name=words[1]),
        title=figure.title,
        wide=True,
    )


def _line_and_band(draft: Draft) -> Figure:
    figure = lines(draft, "layered", Layer("line", ()), many=False)
    (single,) = figure.layers
    values = [r.y for r in single.records if r.y is not None]
    reach = (max(values) - min(values)) * draft.rng.uniform(0.05, 0.15) or 0.1
    band = tuple(
        Record(r.x, low=tidy(r.y - reach), high=tidy(r.y + reach * draft.rng.uniform(0.8, 1.2)))
        for r in single.records
        if r.y is not None
    )
    return draft.figure(
        "layered",
        figure.x,
        figure.y,
        Layer("band", band),
        Layer("line", single.records),
        title=figure.title,
        wide=True,
    )


def _points_and_trend(draft: Draft) -> Figure:
    measure = draft.measure()
    y = draft.axis(measure, zero=False)
    x, places = draft.steps(draft.count({1: (10, 14), 2: (14, 24), 3: (24, 40)}))
    low, high = draft.window(measure)
    lean = draft.rng.uniform(-0.7, 0.7)
    ends = [0.5 - lean / 2, 0.5 + lean / 2]
    points = []
    for i, place in enumerate(places):
        part = ends[0] + (ends[1] - ends[0]) * i / (len(places) - 1) + draft.rng.gauss(0, 0.1)
        value = low + (high - low) * min(max(part, 0.0), 1.0)
        points.append(Record(place, scaled(y, round(value, measure.decimals))))
    trend = tuple(
        Record(place, scaled(y, round(low + (high - low) * part, measure.decimals + 1)))
        for place, part in zip((places[0], places[-1]), ends, strict=True)
    )
    return draft.figure(
        "layered",
        x,
        y,
        Layer("point", tuple(points), name="Observed"),
        Layer("line", trend, name="Trend"),
        title=draft.title(f"{measure.name} and linear trend"),
        wide=True,
    )


def dual_axis(draft: Draft) -> Figure:
    """Two measures over the same places, each with an axis of its own."""
    first = draft.measure(positive=True)
    second = draft.measure(other=first)
    bars = draft.rng.random() < 0.6
    groups = draft.categories(9)
    if bars:
        x: Axis = category_axis(groups)
        places: list[str | float] = list(groups.members)
    else:
        x, places = draft.along()
    y, right = draft.axis(first), draft.axis(second, zero=draft.rng.random() < 0.3)
    left_run = draft.curve(first, draft.window(first), len(places))
    right_run = draft.curve(second, draft.window(second), len(places))
    return draft.figure(
        "dual_axis",
        x,
        y,
        Layer(
            "bar" if bars else "line",
            tuple(Record(p, scaled(y, v)) for p, v in zip(places, left_run, strict=True)),
            name=first.name,
        ),
        Layer(
            "line",
            tuple(Record(p, scaled(right, v)) for p, v in zip(places, right_run, strict=True)),
            name=second.name,
            right=True,
            dots=draft.rng.random() < 0.5,
        ),
        title=draft.title(f"{first.name} and {second.name[0].lower()}{second.name[1:]}"),
        wide=True,
        right=right,
    )
