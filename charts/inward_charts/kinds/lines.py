"""Lines, steps and areas along numbers, dates or ordered categories."""

from __future__ import annotations

from inward_charts.draft import Draft, scaled
from inward_charts.figure import Figure, Layer, Record


def lines(draft: Draft, kind: str, layer: Layer, *, many: bool) -> Figure:
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
    return lines(draft, "line", Layer("line", (), dots=draft.rng.random() < 0.4), many=False)


def line_multi(draft: Draft) -> Figure:
    return lines(draft, "line_multi", Layer("line", (), dots=draft.rng.random() < 0.3), many=True)


def step(draft: Draft) -> Figure:
    return lines(draft, "step", Layer("step", ()), many=draft.chance(0.0, 0.4, 0.7))


def area(draft: Draft) -> Figure:
    return lines(draft, "area", Layer("area", ()), many=False)


def area_stacked(draft: Draft) -> Figure:
    return lines(draft, "area_stacked", Layer("area", (), "zero"), many=True)
