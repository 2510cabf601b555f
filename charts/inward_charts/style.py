"""How a generated chart looks: palettes, colour ramps, fonts, grid, legend, sizes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

LegendSide = Literal[
    "right", "bottom", "top", "top-left", "top-right", "bottom-left", "bottom-right", "direct"
]
"""Outside the plot, in one of its corners, or names at the ends of the lines instead."""
CORNERS: tuple[LegendSide, ...] = ("top-right", "top-left", "bottom-right", "bottom-left")
DASHES: tuple[tuple[float, ...], ...] = (
    (1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (4, 2), (10, 4), (1, 3), (6, 2, 1, 2),
)  # fmt: skip
"""Lengths of stroke and gap in pixels, by series; the first is a plain line."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
"""Vega's names, by series."""

PALETTES: tuple[tuple[str, ...], ...] = (
    ("#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#b279a2", "#ff9da6", "#9d755d"),
    ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf"),
    ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#000000"),
    ("#332288", "#88ccee", "#44aa99", "#ddcc77", "#cc6677", "#aa4499", "#117733", "#882255"),
    ("#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e", "#e6ab02", "#a6761d", "#666666"),
    ("#264653", "#2a9d8f", "#e9c46a", "#e76f51", "#f4a261", "#8ab17d", "#6d597a", "#b56576"),
    ("#e41a1c", "#377eb8", "#4daf4a", "#984ea3", "#ff7f00", "#a65628", "#f781bf", "#999999"),
    ("#003f5c", "#58508d", "#bc5090", "#ff6361", "#ffa600", "#7a5195", "#2f4b7c", "#d45087"),
    ("#5b8ff9", "#61ddaa", "#65789b", "#f6bd16", "#7262fd", "#78d3f8", "#9661bc", "#f6903d"),
    ("#8dd3c7", "#fb8072", "#80b1d3", "#fdb462", "#b3de69", "#bebada", "#bc80bd", "#fccde5"),
    ("#222222", "#7a7a7a", "#b3b3b3", "#4d4d4d", "#d0d0d0", "#999999", "#333333", "#666666"),
)
DARK_PALETTE = (
    "#4cc9f0", "#f72585", "#ffd166", "#06d6a0", "#b388eb", "#ff9f1c", "#90be6d", "#e0e1dd",
)  # fmt: skip

RAMPS: tuple[tuple[str, ...], ...] = (
    ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"),
    ("#f7fbff", "#c6dbef", "#6baed6", "#2171b5", "#08306b"),
    ("#fff7ec", "#fdd49e", "#fc8d59", "#d7301f", "#7f0000"),
    ("#f7fcf5", "#c7e9c0", "#74c476", "#238b45", "#00441b"),
    ("#000004", "#51127c", "#b73779", "#fc8961", "#fcfdbf"),
    ("#2166ac", "#92c5de", "#f7f7f7", "#f4a582", "#b2182b"),
    ("#ffffd9", "#c7e9b4", "#41b6c4", "#225ea8", "#081d58"),
)


@dataclass(frozen=True)
class Style:
    """Everything about a chart's looks that does not change what it says."""

    background: str
    panel: str
    """Colour behind the marks."""
    ink: str
    """Colour of titles and labels."""
    faint: str
    """Colour of grid lines."""
    palette: tuple[str, ...]
    ramp: tuple[str, ...]
    font: Literal["sans-serif", "serif", "monospace"]
    label_size: int
    title_size: int
    title_anchor: Literal["start", "middle"]
    grid: bool
    grid_dash: bool
    frame: bool
    """A line around the plot, where there would else be the two axis lines only."""
    legend: LegendSide
    gap: float
    """Part of a band that is left empty between bars."""
    line_width: float
    point_area: int
    """Square pixels."""
    hollow: bool
    """Points are rings."""
    opacity: float
    dashed: bool = False
    """Lines of several series differ by their dashes as well."""
    shaped: bool = False
    """Points of several series differ by their shapes as well."""
    hatched: bool = False
    """Bars of several series are hatched: by matplotlib alone, Vega has no patterns."""


def draw_style(rng: random.Random, level: int) -> Style:
    """A random style; level 1 keeps to plain white pages, 3 may be dark or in print colours."""
    dark = level == 3 and rng.random() < 0.22
    tinted = not dark and level > 1 and rng.random() < 0.3
    palette = DARK_PALETTE if dark else rng.choice(PALETTES[: 8 if level == 1 else None])
    start = rng.randrange(3)
    background = "#ffffff"
    panel = background
    if dark:
        background = panel = rng.choice(("#14213d", "#1e1e24", "#0b132b"))
    elif tinted:
        background, panel = rng.choice(
            (("#fff1e5", "#fff1e5"), ("#ffffff", "#ebebeb"), ("#f7f7f2", "#ffffff"))
        )
    return Style(
        background=background,
        panel=panel,
        ink="#e8e8e8" if dark else rng.choice(("#000000", "#333333", "#1a1a2e")),
        faint="#3a4560" if dark else "#ffffff" if panel == "#ebebeb" else "#dddddd",
        palette=palette[start:] + palette[:start],
        ramp=rng.choice(RAMPS),
        font=rng.choice(("sans-serif", "sans-serif", "sans-serif", "serif", "monospace"))
        if level > 1
        else "sans-serif",
        label_size=rng.choice((10, 11, 12)),
        title_size=rng.choice((13, 14, 15, 16)),
        title_anchor=rng.choice(("start", "middle")),
        grid=panel == "#ebebeb" or rng.random() < 0.6,
        grid_dash=rng.random() < 0.25,
        frame=rng.random() < 0.4,
        legend=rng.choice(("right", "right", "bottom", "top")),
        gap=rng.choice((0.1, 0.2, 0.35)),
        line_width=rng.choice((1.5, 2.0, 2.5)),
        point_area=rng.choice((30, 45, 64)),
        hollow=level > 1 and rng.random() < 0.25,
        opacity=rng.choice((1.0, 1.0, 0.8)),
    )


def draw_paper_style(rng: random.Random) -> Style:
    """A style as papers have it: white, black ink, small letters, thin lines."""
    palette = rng.choice((*PALETTES[:8], PALETTES[10]))
    start = rng.randrange(2)
    return Style(
        background="#ffffff",
        panel="#ffffff",
        ink=rng.choice(("#000000", "#000000", "#222222")),
        faint="#dddddd",
        palette=palette[start:] + palette[:start],
        ramp=rng.choice(RAMPS),
        font=rng.choice(("serif", "sans-serif", "sans-serif")),
        label_size=rng.choice((9, 10, 11)),
        title_size=rng.choice((11, 12, 13)),
        title_anchor=rng.choice(("start", "middle")),
        grid=rng.random() < 0.35,
        grid_dash=rng.random() < 0.4,
        frame=rng.random() < 0.6,
        legend="right",
        gap=rng.choice((0.15, 0.25, 0.35)),
        line_width=rng.choice((1.2, 1.5, 1.8)),
        point_area=rng.choice((20, 28, 36)),
        hollow=rng.random() < 0.2,
        opacity=0.8,
        dashed=palette is PALETTES[10] or rng.random() < 0.4,
        shaped=palette is PALETTES[10] or rng.random() < 0.5,
        hatched=rng.random() < 0.6,
    )
