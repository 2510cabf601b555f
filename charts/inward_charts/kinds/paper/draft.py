"""Choices that the paper family shares: subjects with powers of ten, noise, notes, finishing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from inward_charts.draft import Draft, slug
from inward_charts.figure import Axis, Figure, Layer, Note, NumberStyle
from inward_charts.layout import lay_out
from inward_charts.numbers import significant
from inward_charts.place import free_corner, part
from inward_charts.style import LegendSide, draw_paper_style
from inward_charts.subjects import PAPER_SUBJECTS, Groups, Measure

SERIES = {1: (2, 2), 2: (3, 4), 3: (4, 6)}
MAX_ROWS = 400
"""Of one layer, so that a line and its band stay within what a specification may hold."""


def paper(draft: Draft, fits: Callable[[Measure], bool]) -> Measure:
    """Gives the draft a paper's style, and a paper's subject with a measure that fits."""
    if draft.subject not in PAPER_SUBJECTS:
        draft.style = draw_paper_style(draft.rng)
        draft.subject = draft.rng.choice(PAPER_SUBJECTS)
    while not (found := [m for m in draft.subject.measures if fits(m)]):
        draft.subject = draft.rng.choice(PAPER_SUBJECTS)
    return draft.rng.choice(found)


def series(draft: Draft, *, most: int = 6) -> Groups:
    """Members of a legend, in the subject's order."""
    field = draft.rng.choice(list(draft.subject.series))
    count = min(draft.count(SERIES), most, len(field.members))
    kept = set(draft.rng.sample(field.members, count))
    return Groups(field.name, tuple(m for m in field.members if m in kept))


def plain_axis(draft: Draft, measure: Measure, *, zero: bool = False) -> Axis:
    style: NumberStyle = "short" if measure.high >= 10_000 else "plain"
    count = draft.rng.choice((4, 5))
    return Axis(measure.title, slug(measure.name), "number", style=style, zero=zero, count=count)


def log_axis(measure: Measure) -> Axis:
    return Axis(measure.title, slug(measure.name), "number", style="power", log=True)


def symlog_axis(measure: Measure) -> Axis:
    """For values up to a thousand times as large as the part that is nearly linear."""
    constant = 10.0 ** (math.floor(math.log10(max(-measure.low, measure.high))) - 2)
    return Axis(
        measure.title, slug(measure.name), "number", style="power", zero=False, symlog=constant
    )


def noisy(draft: Draft, curve: Sequence[float], noise: float) -> list[float]:
    """Parts of 1 with noise that has a memory, as of a run that was logged at each step."""
    out, state = [], 0.0
    for height in curve:
        state = 0.6 * state + draft.rng.gauss(0, noise)
        out.append(min(max(height + state, 0.0), 1.0))
    return out


def spread_out(measure: Measure, share: float, *, log: bool) -> float:
    """The value at a share of a measure's range, to three or four digits."""
    if log:
        return significant(measure.low * (measure.high / measure.low) ** share)
    value = measure.low + (measure.high - measure.low) * share
    return float(round(value, measure.decimals))


def finish(
    draft: Draft,
    kind: str,
    x: Axis,
    y: Axis,
    *layers: Layer,
    title: str,
    direct: bool = False,
    notes: tuple[Note, ...] = (),
    **more: Any,
) -> Figure:
    """The figure, its legend in a free corner of the plot where there is one.

    `direct`: the names stand at the ends of the lines instead.
    """
    size = {
        "width": draft.rng.choice((260, 300, 340)),
        "height": draft.rng.choice((190, 210, 240)),
    }
    figure = Figure(
        kind=kind,
        level=draft.level,
        title=() if draft.chance(0.3, 0.4, 0.5) else (title,),
        x=x,
        y=y,
        layers=layers,
        style=draft.style,
        notes=notes,
        **(size | more),
    )
    return placed(_labelled(figure), direct=direct)


def _labelled(figure: Figure) -> Figure:
    """The figure with the words of lines across it at the end where fewer marks are near."""
    if not figure.notes:
        return figure
    layout = lay_out(figure)
    assert layout.x is not None
    marks = [
        (part(figure.x, layout.x, float(r.x)), part(figure.y, layout.y, r.y))
        for layer in figure.layers
        for r in layer.records
        if r.y is not None
    ]

    def moved(note: Note) -> Note:
        height = part(figure.y, layout.y, note.y)
        near = [x for x, y in marks if -0.03 < y - height < 0.12]
        return replace(note, left=sum(x < 0.3 for x in near) < sum(x > 0.7 for x in near))

    notes = tuple(moved(note) if note.sort == "level" else note for note in figure.notes)
    return replace(figure, notes=notes)


def placed(figure: Figure, outside: LegendSide = "right", *, direct: bool = False) -> Figure:
    """The figure with its legend in a free corner, else `outside`; `direct`: at the lines' ends."""
    if not figure.series:
        return figure
    side = "direct" if direct else free_corner(figure) or outside
    return replace(figure, style=replace(figure.style, legend=side))
