"""The kinds of chart: one builder each, from a draft (subject, style, level) to a figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from inward_charts.draft import Draft, scaled, slug
from inward_charts.figure import Axis, Figure, Layer, Record
from inward_charts.layout import GLYPH
from inward_charts.numbers import nice_ticks, tidy
from inward_charts.subjects import Groups, Measure

Builder = Callable[[Draft], Figure]


def _category_axis(groups: Groups) -> Axis:
    return Axis(groups.name, slug(groups.name), "category", members=groups.members)


def _of(measure: Measure, groups: Groups) -> tuple[str, ...]:
    """Titles for a measure over groups."""
    field = groups.name.lower()
    return (
        f"{measure.name} by {field}",
        f"{measure.name} for each {field}",
        f"{measure.name} per {field}",
    )


def _single(draft: Draft, kind: str, layer: str = "bar", *, horizontal: bool = False) -> Figure:
    measure = draft.measure()
    groups = draft.categories(long=horizontal)
    x, y = _category_axis(groups), draft.axis(measure)
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
        kind, x, y, bars, title=draft.title(*_of(measure, groups)), horizontal=horizontal
    )


def bar(draft: Draft) -> Figure:
    return _single(draft, "bar")


def bar_horizontal(draft: Draft) -> Figure:
    return _single(draft, "bar_horizontal", horizontal=True)


def dot_plot(draft: Draft) -> Figure:
    """One point a category on a horizontal scale."""
    return _single(draft, "dot_plot", "point", horizontal=True)


def _crossed(
    draft: Draft, *, additive: bool, most: int = 7, long: bool = False
) -> tuple[Groups, Groups, Measure]:
    measure = draft.measure(additive=additive, positive=True)
    groups = draft.categories(most, long=long)
    return groups, draft.series(), measure


def bar_grouped(draft: Draft) -> Figure:
    groups, series, measure = _crossed(draft, additive=False, most=6)
    x, y = _category_axis(groups), draft.axis(measure)
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
        *_of(measure, groups),
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
    groups, series, measure = _crossed(draft, additive=True, long=horizontal)
    x, y = _category_axis(groups), draft.axis(measure)
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


def _shares(draft: Draft, count: int) -> list[int]:
    """Whole per cent that add up to 100, none below 3."""
    weights = [draft.rng.uniform(0.3, 1.0) ** 2 for _ in range(count)]
    room = 100 - 3 * count
    shares = [3 + int(room * w / sum(weights)) for w in weights]
    shares[0] += 100 - sum(shares)
    return shares


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
        for member, share in zip(series.members, _shares(draft, len(series.members)), strict=True)
    )
    return draft.figure(
        "bar_share",
        _category_axis(groups),
        y,
        Layer("bar", records, "zero"),
        title=draft.title(f"Composition by {series.name.lower()} for each {groups.name.lower()}"),
        horizontal=horizontal,
        series_title=series.name,
        series=series.members,
    )


def _lines(draft: Draft, kind: str, layer: Layer, *, many: bool) -> Figure:
    """`layer` says how the lines look; its records are made here."""
    stacked = layer.stack == "zero"
    measure = draft.measure(additive=stacked, positive=layer.mark == "area")
    x, places = draft.along()
    zero = layer.mark == "area" or draft.rng.random() < 0.5
    y = draft.axis(measure, zero=zero)
    groups = draft.series(beside=x.title) if many else None
    low, high = draft.window(measure)
    records: list[Record] = []
    for member in groups.members if groups else (None,):
        width = (high - low) * draft.rng.uniform(0.5, 1.0)
        start = low + (high - low - width) * draft.rng.random()
        run = draft.curve(measure, (start, start + width), len(places))
        drawn = [Record(p, scaled(y, v), member) for p, v in zip(places, run, strict=True)]
        records += drawn if layer.mark == "area" else draft.lose(drawn)
    title = draft.title(
        f"{measure.name} over {x.title.lower()}",
        f"{measure.name} by {groups.name.lower()}" if groups else f"Trend of {measure.name}",
    )
    return draft.figure(
        kind,
        x,
        y,
        Layer(layer.mark, tuple(records), layer.stack, dots=layer.dots),
        title=title,
        wide=True,
        series_title=groups.name if groups else "",
        series=groups.members if groups else (),
    )


def line(draft: Draft) -> Figure:
    return _lines(draft, "line", Layer("line", (), dots=draft.rng.random() < 0.4), many=False)


def line_multi(draft: Draft) -> Figure:
    return _lines(draft, "line_multi", Layer("line", (), dots=draft.rng.random() < 0.3), many=True)


def step(draft: Draft) -> Figure:
    return _lines(draft, "step", Layer("step", ()), many=draft.chance(0.0, 0.4, 0.7))


def area(draft: Draft) -> Figure:
    return _lines(draft, "area", Layer("area", ()), many=False)


def area_stacked(draft: Draft) -> Figure:
    return _lines(draft, "area_stacked", Layer("area", (), "zero"), many=True)


_CLOUD = {1: (12, 24), 2: (24, 40), 3: (40, 80)}


def _cloud(draft: Draft, measure: Measure, y: Axis, count: int) -> tuple[Axis, list[Record]]:
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
    x, records = _cloud(draft, measure, y, draft.count(_CLOUD))
    title = draft.title(f"{measure.name} against {x.title.split(' (')[0].lower()}")
    return draft.figure("scatter", x, y, Layer("point", tuple(records)), title=title, wide=True)


def scatter_groups(draft: Draft) -> Figure:
    measure = draft.measure()
    y = draft.axis(measure, zero=draft.rng.random() < 0.3)
    x, records = _cloud(draft, measure, y, draft.count(_CLOUD))
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
    x, records = _cloud(draft, measure, y, draft.count(_BUBBLES))
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


def arc(draft: Draft) -> Figure:
    """A pie or a ring of parts of a whole."""
    groups = draft.categories({1: 4, 2: 6, 3: 8}[draft.level], long=True)
    y = Axis("Share (%)", "share", "number")
    shares = _shares(draft, len(groups.members))
    if draft.rng.random() < 0.5:
        shares.sort(reverse=True)
    records = tuple(Record(name, float(s)) for name, s in zip(groups.members, shares, strict=True))
    return draft.figure(
        "arc",
        _category_axis(groups),
        y,
        Layer("arc", records, printed=draft.chance(1.0, 0.7, 0.5)),
        title=draft.title(f"Composition by {groups.name.lower()} (%)"),
        donut=draft.rng.random() < 0.4,
        series=groups.members,
    )


def heat_map(draft: Draft) -> Figure:
    groups, series, measure = _crossed(draft, additive=False, most=8)
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
        _category_axis(groups),
        y,
        Layer("cell", draft.lose(records), printed=draft.chance(0.3, 0.4, 0.5)),
        title=draft.title(f"{measure.name} by {groups.name.lower()} and {series.name.lower()}"),
        wide=True,
        series_title=series.name,
        series=series.members,
    )


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
        _category_axis(groups),
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
        _category_axis(groups),
        y,
        Layer("bar" if mark == "bar" else "point", tuple(means)),
        Layer("interval", tuple(ranges)),
        title=draft.title(
            f"{measure.name} by {groups.name.lower()}, mean and 95 % interval",
            f"Mean {measure.name[0].lower()}{measure.name[1:]}",
        ),
    )


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
        x = _category_axis(groups)
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
        x, cloud = _cloud(draft, measure, y, len(panels.members) * draft.rng.randint(6, 14))
        records = [
            Record(r.x, r.y, panel=panels.members[i % len(panels.members)])
            for i, r in enumerate(cloud)
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
        _category_axis(groups),
        y,
        Layer("bar", _paired(groups.members, drawn, y), name=names[0]),
        Layer("line", _paired(groups.members, target, y), name=names[1], dots=True),
        title=draft.title(f"{measure.name}: {names[0].lower()} and {names[1].lower()}"),
        wide=True,
    )


def _paired(places: tuple[str, ...], values: list[float], axis: Axis) -> tuple[Record, ...]:
    return tuple(Record(p, scaled(axis, v)) for p, v in zip(places, values, strict=True))


def _line_and_limit(draft: Draft) -> Figure:
    figure = _lines(draft, "layered", Layer("line", ()), many=False)
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
    figure = _lines(draft, "layered", Layer("line", ()), many=False)
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
        x: Axis = _category_axis(groups)
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


BUILDERS: dict[str, Builder] = {
    builder.__name__: builder
    for builder in (
        bar, bar_horizontal, bar_grouped, bar_stacked, bar_share, dot_plot, line, line_multi, step,
        area, area_stacked, scatter, scatter_groups, bubble, arc, heat_map, box_plot, histogram,
        error_bars, facets, layered, dual_axis,
    )
}  # fmt: skip
