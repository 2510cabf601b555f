"""What a description says about a chart, as far as it was understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["bar", "line", "step", "area", "point", "arc", "cell", "box", "band", "rule"]
Place = str | float


@dataclass(frozen=True)
class Number:
    """A number as it was written."""

    value: float
    """Of 40 % it is 40, of 1.2k 1200, of 3 million 3."""
    percent: bool = False
    money: bool = False
    short: float = 0.0
    """1000 where it was written with k, 1e6 with M, 1e9 with G."""
    thousands: bool = False
    """Written with commas between thousands."""
    decimals: int = 0
    scale: float = 1.0
    """1e6 of 3 million."""
    power: bool = False
    """Written as a power of ten, 10^3."""


def around(middle: Number, reach: Number) -> tuple[Number, Number]:
    """The ends of `12 ± 3`."""
    low, high = middle.value - reach.value, middle.value + reach.value
    return Number(low, middle.percent), Number(high, middle.percent)


@dataclass
class Axis:
    title: str = ""
    ticks: list[Number] = field(default_factory=list)
    low: float | None = None
    high: float | None = None
    unit: float = 1.0
    """1e6 where `high` was written as millions."""
    log: bool = False
    symlog: float | None = None
    """A logarithmic axis of both signs, linear up to this number; 0: it is not told up to where."""
    percent: bool = False
    """Tick labels end in %: numbers written with % are parts of 1."""
    members: list[str] = field(default_factory=list)
    """Categories or dates in their order, where they are listed."""
    dates: list[str] = field(default_factory=list)
    """The dates that are labelled."""


@dataclass
class Observation:
    """One thing that is drawn, with what is known of it."""

    x: Place | None
    y: float | None = None
    low: float | None = None
    high: float | None = None
    size: float | None = None
    box: tuple[float, ...] = ()
    """Lower whisker, lower quartile, median, upper quartile, upper whisker."""
    outliers: tuple[float, ...] = ()
    x2: float | None = None
    """The end of a bin, or of a shape, that begins at `x`."""
    scale: float = 1.0
    """1e6 where the number was written as millions."""
    short: float = 0.0
    """1e6 where it was written with M: `y` is in full."""
    percent: bool = False
    """Whether its numbers were written with %."""


@dataclass
class Series:
    """Observations with one name, one colour and one kind of mark."""

    name: str = ""
    kind: Kind | None = None
    """None: that of the chart."""
    panel: str = ""
    right: bool = False
    dots: bool = False
    observations: list[Observation] = field(default_factory=list)


@dataclass
class Looks:
    """None or empty: not described."""

    background: str = ""
    panel: str = ""
    ink: str = ""
    faint: str = ""
    grid: bool | None = None
    grid_x: bool = False
    """Grid lines across the axis of x too."""
    dashed_grid: bool = False
    frame: bool = False
    legend: str = ""
    """right, bottom, top or left, a corner of the plot such as top-left, or direct: names at the
    ends of the lines."""
    label_size: float | None = None
    title_size: float | None = None
    title_anchor: str = ""
    line_width: float | None = None
    point_area: float | None = None
    hollow: bool = False
    opacity: float | None = None
    gap: float | None = None
    angle: int | None = None


@dataclass(frozen=True)
class Note:
    """A remark on the plot. level: a line across at y; moment: a line up at x; span: a region from
    x to x2; words: at (x, y). `text` may be empty, but for words."""

    sort: Literal["level", "moment", "span", "words"]
    text: str = ""
    x: Place = 0.0
    y: float = 0.0
    x2: Place = 0.0
    percent: bool = False
    """Whether its number was written with %."""
    scale: float = 1.0
    """Of a level, as an observation's."""


@dataclass
class PlainChart:
    """A chart in words. `ignored` counts the statements that said nothing that is understood."""

    kind: Kind | None = None
    title: str = ""
    subtitle: str = ""
    horizontal: bool = False
    in_units: bool = False
    """Its numbers are said to be in thousands, millions or billions."""
    stack: Literal["", "zero", "group"] = ""
    donut: bool = False
    dots: bool = False
    histogram: bool = False
    strip: bool = False
    """Several points at each category, all samples."""
    ticks: bool = False
    """Samples are drawn as short strokes."""
    bands: bool = False
    """Intervals are bands along their lines, and no error bars."""
    printed: bool = False
    width: float | None = None
    height: float | None = None
    """Of the plot (of one panel), in pixels."""
    columns: int | None = None
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    right: Axis = field(default_factory=Axis)
    sizes: Axis = field(default_factory=Axis)
    scale: Axis = field(default_factory=Axis)
    """Of the colours of a heat map."""
    ramp: list[str] = field(default_factory=list)
    legend_title: str = ""
    legend: list[str] = field(default_factory=list)
    panel_title: str = ""
    colors: dict[str, str] = field(default_factory=dict)
    """By the name of a series or a category, in lower case."""
    color: str = ""
    """Of all marks."""
    dashes: dict[str, str] = field(default_factory=dict)
    """Solid, dashed, ... by the name of a series in lower case."""
    right_names: set[str] = field(default_factory=set)
    """Series on an axis of their own, in lower case."""
    kinds: dict[str, Kind] = field(default_factory=dict)
    """Of series whose marks differ from the others', by their names in lower case."""
    markers: dict[str, str] = field(default_factory=dict)
    """Vega's names of symbols, likewise."""
    notes: list[Note] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    shapes: list[tuple[str, str, list[tuple[float, ...]]]] = field(default_factory=list)
    """Kind, colour and corners, in pixels from the upper left."""
    looks: Looks = field(default_factory=Looks)
    panels: list[PlainChart] = field(default_factory=list)
    """Different plots side by side: this chart then has their common title and looks."""
    statements: int = 0
    ignored: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        own = self.title or self.x.title or self.y.title or self.observed or self.shapes
        return not own and all(panel.empty for panel in self.panels)

    @property
    def observed(self) -> int:
        return sum(len(series.observations) for series in self.series)
