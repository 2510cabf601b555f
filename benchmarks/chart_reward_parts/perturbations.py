"""Charts made worse on purpose, in seven tiers of severity, and answers that see no image.

A perturbation changes the figure (its records, title, colours, size) or, for a wrong mark, its
specification. Axes and ticks follow the changed records, as in a chart that somebody drew from
them. The order of the tiers is one person's judgement.
"""

from __future__ import annotations

import copy
import math
import random
from dataclasses import replace
from typing import Any

from inward_charts import KINDS, Chart, generate
from inward_charts.figure import Figure, Layer, Record
from inward_charts.layout import rgb
from inward_charts.numbers import tick_decimals
from inward_charts.style import PALETTES, RAMPS
from inward_charts.vega import vega_lite

Spec = dict[str, Any]


def perturbed(chart: Chart, rng: random.Random) -> dict[str, tuple[int, Spec]]:
    """Name -> (tier, specification) of fifteen redrawings of `chart`; tier 0 is faithful."""
    figure = chart.figure
    same_kind = generate(rng.randrange(10**6), rng.randrange(10**6), kinds=[chart.kind])
    other_kinds = [kind for kind in KINDS if kind.split("_")[0] != chart.kind.split("_")[0]]
    other_kind = generate(rng.randrange(10**6), rng.randrange(10**6), kinds=other_kinds)
    changed: dict[str, tuple[int, Figure]] = {
        "identical": (0, figure),
        "style_only": (1, _restyled(figure)),
        "size_12pct": (1, replace(figure, width=round(figure.width * 1.12))),
        "no_title": (1, replace(figure, title=())),
        "wrong_title": (1, replace(figure, title=same_kind.figure.title or ("All cohorts",))),
        "jitter_05": (1, jittered(figure, 0.05, rng)),
        "one_value": (1, _one_value(figure, rng)),
        "jitter_15": (2, jittered(figure, 0.15, rng)),
        "recolour": (2, _recoloured(figure)),
        "drop_third": (2, _dropped(figure)),
        "jitter_40": (3, jittered(figure, 0.4, rng)),
        "shuffle": (3, shuffled(figure, rng)),
        "other_same_kind": (5, same_kind.figure),
        "other_kind": (6, other_kind.figure),
    }
    specs = {name: (tier, vega_lite(drawn)) for name, (tier, drawn) in changed.items()}
    specs["wrong_mark"] = (4, wrong_mark(figure))
    return specs


def jittered(figure: Figure, part: float, rng: random.Random) -> Figure:
    """Every value moved up or down by about `part` of the chart's range; none changes sign.

    The observations of one box move together, and its five numbers with them: moved one by one,
    they would become outliers. Sectors of a circle move up and down by turns: all of them larger
    are the same picture.
    """

    def moved(layer: Layer) -> Layer:
        step = part * _span(layer)
        decimals = max(_decimals(layer), 1 - math.floor(math.log10(step)))
        moves: dict[Any, float] = {}
        records = []
        first = rng.choice((-1, 1))
        for number, record in enumerate(layer.records):
            place = (record.x, record.series, record.panel) if layer.mark == "box" else number
            if place not in moves:
                turn = first * (-1) ** len(moves) if layer.mark == "arc" else rng.choice((-1, 1))
                moves[place] = step * turn * rng.uniform(0.7, 1.3)
            records.append(_moved(record, moves[place], decimals))
        return replace(layer, records=tuple(records))

    return replace(figure, layers=tuple(moved(layer) for layer in figure.layers))


def shuffled(figure: Figure, rng: random.Random) -> Figure:
    """The values of each layer dealt out anew among its records, most of them changed."""

    def deal(layer: Layer) -> Layer:
        binned = any(r.low is not None and r.y is not None for r in layer.records)
        places = list(range(len(layer.records)))
        orders = [rng.sample(places, len(places)) for _ in range(12)]
        order = max(orders, key=lambda o: _change(layer, o))
        dealt = [layer.records[i] for i in order]
        return replace(
            layer,
            records=tuple(
                replace(r, y=d.y) if binned else replace(r, y=d.y, low=d.low, high=d.high)
                for r, d in zip(layer.records, dealt, strict=True)
            ),
        )

    return replace(figure, layers=tuple(deal(layer) for layer in figure.layers))


def _change(layer: Layer, order: list[int]) -> float:
    """How much a new order of the records moves their values."""
    values = [(_values(record) or [0.0])[0] for record in layer.records]
    return sum(abs(values[i] - values[j]) for i, j in enumerate(order))


def _span(layer: Layer) -> float:
    values = [v for r in layer.records for v in _values(r)]
    return (max(values) - min(values)) or abs(values[0]) or 1.0


def _values(record: Record) -> list[float]:
    if record.y is not None:
        return [record.y]
    return [v for v in (record.low, record.high) if v is not None]


def _moved(record: Record, by: float, decimals: int) -> Record:
    smallest = 10.0**-decimals

    def move(value: float | None) -> float | None:
        # Log axes, areas and counts need values that stay positive, and large enough to be seen.
        if not value or value < 0:
            return value and round(value + by, decimals)
        moved = round(value + by, decimals)
        return moved if moved > 0 else max(round(value - by, decimals), smallest)

    if record.y is not None:
        return replace(record, y=move(record.y))
    return replace(record, low=move(record.low), high=move(record.high))


def _decimals(layer: Layer) -> int:
    return tick_decimals(tuple(v for r in layer.records for v in _values(r)))


def _one_value(figure: Figure, rng: random.Random) -> Figure:
    layer = max(figure.layers, key=lambda part: len(part.records))
    values = [v for r in layer.records for v in _values(r)]
    places = [i for i, r in enumerate(layer.records) if _values(r)]
    chosen = rng.choice(places)
    record = layer.records[chosen]
    now = _values(record)[0]
    high, low = max(values), min(values)
    wrong = high if now < (high + low) / 2 else low
    records = list(layer.records)
    records[chosen] = _moved(record, wrong - now, _decimals(layer))
    return _with_layer(figure, layer, tuple(records))


def _dropped(figure: Figure) -> Figure:
    """A third of the data is gone: the last third of lines and areas, else every third record."""

    def drop(layer: Layer) -> Layer:
        if layer.mark == "rule":
            return layer
        if layer.mark in ("line", "step", "area", "band"):
            places = list(dict.fromkeys(r.x for r in layer.records))
            gone = set(places[-(len(places) // 3 or 1) :])
            return replace(layer, records=tuple(r for r in layer.records if r.x not in gone))
        if layer.mark in ("box", "interval"):
            gone = set(figure.x.members[2::3])
            return replace(layer, records=tuple(r for r in layer.records if r.x not in gone))
        return replace(layer, records=tuple(r for i, r in enumerate(layer.records) if i % 3 != 2))

    return replace(figure, layers=tuple(drop(layer) for layer in figure.layers))


def _with_layer(figure: Figure, old: Layer, records: tuple[Record, ...]) -> Figure:
    return replace(
        figure,
        layers=tuple(
            replace(part, records=records) if part is old else part for part in figure.layers
        ),
    )


def _restyled(figure: Figure) -> Figure:
    style = figure.style
    return replace(
        figure, style=replace(style, label_size=style.label_size + 1, grid=not style.grid)
    )


def _recoloured(figure: Figure) -> Figure:
    """The palette and the ramp whose colours are farthest from the true ones, one by one."""
    style = figure.style
    used = max(1, len(figure.legend))
    palette = max(PALETTES, key=lambda other: _distance(style.palette[:used], other[:used]))
    ramp = max(RAMPS, key=lambda other: _distance(style.ramp, other))
    return replace(figure, style=replace(style, palette=palette, ramp=ramp))


def _distance(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    """The least distance between colours at the same place, in RGB."""
    return min(math.dist(rgb(p), rgb(q)) for p, q in zip(a, b, strict=True))


_WRONG = {
    "bar": "line",
    "line": "bar",
    "area": "point",
    "point": "line",
    "rect": "point",
    "boxplot": "point",
    "rule": "point",
}


def wrong_mark(figure: Figure) -> Spec:
    """The same encodings with every data mark of another sort."""
    spec = copy.deepcopy(vega_lite(figure))
    for view in spec.get("layer", [spec]):
        mark, encoding = view["mark"], view["encoding"]
        kind = mark["type"]
        if kind in ("text", "errorbar"):
            continue
        colour = {k: mark[k] for k in ("color",) if k in mark}
        if kind == "arc":
            encoding["x"] = {k: encoding["color"][k] for k in ("field", "type", "title")}
            encoding["y"] = encoding.pop("theta") | {"stack": None}
            encoding.pop("order")
            view["mark"] = {"type": "bar"}
            continue
        if kind == "bar" and encoding.get("y", {}).get("stack") == "zero":
            view["mark"] = {"type": "area"} | colour
            continue
        for channel in ("xOffset", "yOffset", "size"):
            encoding.pop(channel, None)
        if encoding.get("x", {}).pop("bin", None):
            encoding.pop("x2")
        view["mark"] = {"type": _WRONG[kind]} | colour
        if _WRONG[kind] == "bar":
            encoding["y"]["stack"] = None
    if figure.kind == "arc":
        spec["layer"] = [v for v in spec.get("layer", []) if v["mark"]["type"] != "text"]
        if not spec["layer"]:
            spec.pop("layer")
    return spec


def without_data(figure: Figure) -> Spec:
    """Title, axes and legends of the true chart, and no visible mark."""
    spec = copy.deepcopy(vega_lite(figure))
    for view in spec.get("layer", [spec]):
        kind = view["mark"]["type"]
        plain = {"errorbar": "rule", "boxplot": "point"}.get(kind, kind)
        view["mark"] = {"type": plain, "opacity": 0}
    return spec
