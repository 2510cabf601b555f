"""The table of the kinds of chart: a new kind is a builder in its family and a row here."""

from __future__ import annotations

from inward_charts.kinds.bars import (
    bar,
    bar_grouped,
    bar_horizontal,
    bar_share,
    bar_stacked,
    dot_plot,
)
from inward_charts.kinds.combined import dual_axis, facets, layered
from inward_charts.kinds.distributions import box_plot, error_bars, histogram
from inward_charts.kinds.kind import Kind
from inward_charts.kinds.lines import area, area_stacked, line, line_multi, step
from inward_charts.kinds.paper import (
    bars_hatched,
    bars_signed,
    curve_annotated,
    curves_bands,
    curves_log,
    curves_signed,
    panels,
    scatter_dense,
    strip,
)
from inward_charts.kinds.parts import arc, heat_map
from inward_charts.kinds.points import bubble, scatter, scatter_groups

__all__ = ["TABLE", "Kind"]

_ROWS = (
    Kind("bar", "bars", bar, "a bar per category"),
    Kind("bar_horizontal", "bars", bar_horizontal, "ranked rows, long labels"),
    Kind("bar_grouped", "bars", bar_grouped, "bars of several series side by side"),
    Kind("bar_stacked", "bars", bar_stacked, "amounts of several series on each other"),
    Kind("bar_share", "bars", bar_share, "stacks that each add up to 100 %"),
    Kind("dot_plot", "bars", dot_plot, "a point per category on a horizontal scale"),
    Kind("line", "lines", line, "one line along numbers, dates or years"),
    Kind("line_multi", "lines", line_multi, "a line per series"),
    Kind("step", "lines", step, "lines of steps"),
    Kind("area", "lines", area, "one filled line"),
    Kind("area_stacked", "lines", area_stacked, "areas of several series on each other"),
    Kind("scatter", "points", scatter, "two measures, now and then a logarithmic axis"),
    Kind("scatter_groups", "points", scatter_groups, "the same by series"),
    Kind("bubble", "points", bubble, "a third measure as the points' area"),
    Kind("arc", "parts", arc, "a pie or a ring"),
    Kind("heat_map", "parts", heat_map, "a number per cell, by colour"),
    Kind("box_plot", "distributions", box_plot, "five numbers and outliers per category"),
    Kind("histogram", "distributions", histogram, "counts per bin"),
    Kind("error_bars", "distributions", error_bars, "means with intervals, as points or bars"),
    Kind("facets", "combined", facets, "the same small chart for each of several groups"),
    Kind("layered", "combined", layered, "two sorts of mark on the same axes"),
    Kind("dual_axis", "combined", dual_axis, "two measures, each with an axis of its own"),
    Kind("curves_bands", "paper", curves_bands, "noisy lines with bands"),
    Kind("curves_log", "paper", curves_log, "lines with points on powers of ten, limits"),
    Kind("curves_signed", "paper", curves_signed, "lines of both signs, linear or symlog"),
    Kind("curve_annotated", "paper", curve_annotated, "a line with regions, moments and words"),
    Kind("scatter_dense", "paper", scatter_dense, "80 to 500 points, now and then log-log"),
    Kind("strip", "paper", strip, "every sample of each category, as points or ticks"),
    Kind("bars_hatched", "paper", bars_hatched, "grouped bars, hatched by matplotlib"),
    Kind("bars_signed", "paper", bars_signed, "bars on either side of zero"),
    Kind("panels", "paper", panels, "two to four different panels", weight=3),
)  # fmt: skip
TABLE: dict[str, Kind] = {kind.name: kind for kind in _ROWS}
