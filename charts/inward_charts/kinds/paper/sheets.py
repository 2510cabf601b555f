"""Figures of two to four different panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from inward_charts.draft import Draft
from inward_charts.figure import Figure, Sheet
from inward_charts.kinds.bars import bar, bar_grouped
from inward_charts.kinds.distributions import box_plot
from inward_charts.kinds.paper.bars import bars_hatched, bars_signed
from inward_charts.kinds.paper.curves import (
    curve_annotated,
    curves_bands,
    curves_log,
    curves_signed,
)
from inward_charts.kinds.paper.draft import paper, placed
from inward_charts.kinds.paper.points import scatter_dense, strip

_PANELS: tuple[Callable[[Draft], Figure], ...] = (
    curves_bands,
    curves_log,
    curves_signed,
    curve_annotated,
    scatter_dense,
    strip,
    bars_hatched,
    bars_signed,
    bar,
    bar_grouped,
    box_plot,
)
_LONGEST_TITLE = 22
"""Characters of a panel's heading that have room above it."""


def panels(draft: Draft) -> Sheet:
    """Different panels, lettered, in one style; the higher the level, the more."""
    paper(draft, lambda m: True)
    rng = draft.rng
    count = {1: 2, 2: 3, 3: 4}[draft.level]
    # Shapes would need a scale of their own in each panel, which the linter does not let pass yet.
    style = replace(draft.style, shaped=False)
    size = (150, 130) if count == 3 else (rng.choice((170, 190, 210)), rng.choice((130, 150)))
    figures = []
    for number, build in enumerate(rng.sample(_PANELS, count)):
        part = Draft(rng, 1)
        part.style, part.subject = style, draft.subject
        figure = build(part)
        heading = f"({'abcd'[number]})"
        words = figure.y.title.split(" (")[0]
        if len(words) <= _LONGEST_TITLE and rng.random() < 0.7:
            heading += f" {words}"
        kept = replace(part.style, legend="bottom")
        figure = replace(
            figure, title=(heading,), style=kept, width=size[0], height=size[1], level=draft.level
        )
        figures.append(placed(figure, "bottom"))
    title = (f"{draft.subject.name}: overview",) if rng.random() < 0.25 else ()
    return Sheet("panels", draft.level, title, tuple(figures), 2 if count != 3 else 3)
