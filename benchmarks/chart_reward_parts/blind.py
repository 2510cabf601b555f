"""Answers with the true words and axes whose values were not read, or were read with an error.

All are drawn on the true chart's axes: a policy that copies the ticks and guesses the rest. An
error's unit is the span of the chart's values, which is what tells them apart.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from inward_charts.figure import Figure, Layer, Record
from inward_charts.layout import Layout, lay_out
from inward_charts.vega import vega_lite

from .perturbations import jittered, shuffled

Spec = dict[str, Any]

BLIND = ("mid-axis", "random in range", "shuffled")
ERRORS = (0.02, 0.05, 0.15, 0.4)
WHISKER = 0.05
"""Of the axis: half the length of an interval whose ends were not read."""


def value_blind(figure: Figure, rng: random.Random) -> dict[str, Spec]:
    """Every value at the middle of its axis, or anywhere on it, or another record's."""
    layout = lay_out(figure)
    blind = {
        "mid-axis": _placed(figure, layout, lambda: 0.5),
        "random in range": _placed(figure, layout, rng.random),
        "shuffled": _sizes_dealt(shuffled(figure, rng), rng),
    }
    return {name: on_axes(changed, layout) for name, changed in blind.items()}


def misread(figure: Figure, rng: random.Random) -> dict[str, Spec]:
    """Every value off by about 2, 5, 15 and 40 % of the values' span, up or down."""
    layout = lay_out(figure)
    return {f"off by {part:.0%}": on_axes(jittered(figure, part, rng), layout) for part in ERRORS}


def on_axes(figure: Figure, layout: Layout) -> Spec:
    """The figure drawn on the axes of `layout`."""
    return vega_lite(figure, replace(layout, cell_inks=lay_out(figure).cell_inks))


def _sizes_dealt(figure: Figure, rng: random.Random) -> Figure:
    """The sizes of bubbles are values as well."""

    def dealt(layer: Layer) -> Layer:
        sizes = [record.size for record in layer.records]
        rng.shuffle(sizes)
        pairs = zip(layer.records, sizes, strict=True)
        return replace(layer, records=tuple(replace(record, size=size) for record, size in pairs))

    return replace(figure, layers=tuple(dealt(layer) for layer in figure.layers))


def _placed(figure: Figure, layout: Layout, place: Callable[[], float]) -> Figure:
    """Every value at a part of its axis (0 to 1) that `place` gives."""

    def moved(layer: Layer) -> Layer:
        axis = figure.right if layer.right and figure.right else figure.y
        ticks = layout.right if layer.right and layout.right else layout.y
        share = 1
        if layer.stack == "zero":
            stacks: dict[Any, int] = defaultdict(int)
            for record in layer.records:
                stacks[record.x, record.panel] += 1
            share = max(stacks.values())

        def value(part: float) -> float:
            low, high = ticks.domain
            if axis.log:
                return float(low * (high / low) ** part)
            return (low + part * (high - low)) / share

        def blind(record: Record) -> Record:
            part = place()
            size = record.size
            if size is not None and layout.size is not None:
                size = place() * layout.size.domain[1]
            ends = {
                name: value(part + sign * WHISKER)
                for name, sign in (("low", -1), ("high", 1))
                if layer.mark in ("interval", "band")
            }
            y = None if record.y is None else value(part)
            return replace(record, y=y, size=size, **ends)

        return replace(layer, records=tuple(blind(record) for record in layer.records))

    return replace(figure, layers=tuple(moved(layer) for layer in figure.layers))
