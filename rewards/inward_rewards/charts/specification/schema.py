"""What a specification may hold, as tables that the linter walks.

Views, data, transforms and bins are closed: a property that their table lacks is refused. Marks,
channels, axes, legends, scales and config are open, since Vega-Lite has hundreds of properties of
style and ignores those that it does not know. For them `property_of` says by its name what the
value may be, REFUSED which properties load, loop, grow or run something, and DROPPED which have no
effect on the picture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from inward_rewards.charts.specification import limits
from inward_rewards.charts.specification.limits import names

Text = Literal["free", "lines", "number", "expression", "field", "format", "no path"]
"""How a text is taken: as it is; with a line break as several lines; as a number in quotes; as an
expression, the name of a field or a d3 format, each bounded; as anything but an SVG path."""
Part = Literal[
    "views", "view", "data", "datasets", "mark", "encoding", "facet", "transforms", "side", "style"
]
"""What the value of a view's property is."""


@dataclass(frozen=True)
class Property:
    """What the value of one property of style may be. Booleans and null may stand anywhere."""

    number: float = limits.MAX_STYLE_NUMBER
    """The largest number, above or below zero: a size or a count, unless the table says more."""
    least: float | None = None
    """The smallest number, where it is not `-number`."""
    text: Text = "free"
    words: frozenset[str] | None = None
    """The only texts."""
    refused: Mapping[str, str] | None = None
    """Texts that are refused, and what to write in place of each."""
    takes: tuple[type, ...] | None = None
    """The only JSON types, as Python reads them."""
    what: str = ""
    """`takes` and `words` in words."""


VIEW: Mapping[str, Part] = {
    "datasets": "datasets",
    "data": "data",
    "layer": "views",
    "hconcat": "views",
    "vconcat": "views",
    "concat": "views",
    "spec": "view",
    "width": "side",
    "height": "side",
    "mark": "mark",
    "encoding": "encoding",
    "facet": "facet",
    "transform": "transforms",
    "title": "style",
    "name": "style",
    "background": "style",
    "padding": "style",
    "autosize": "style",
    "config": "style",
    "view": "style",
    "columns": "style",
    "resolve": "style",
    "spacing": "style",
    "align": "style",
    "bounds": "style",
    "center": "style",
}
"""Data come first: facets and the steps of bins are judged by it."""
DATA = names("values name format")
FORMAT = names("parse type")
TRANSFORM = limits.TRANSFORMS | names(
    "as field frame groupby ignorePeers limit offset op sort value"
)
BIN = names("maxbins step nice binned extent")

DROPPED = names("$schema usermeta description tooltip aria cursor key")
"""Without effect on the picture. Fonts are dropped as well: every chart has the same."""
IN_CONFIG = DROPPED - {"aria"}
"""Names that mean something else there."""

VEGA = "write Vega-Lite, with 'mark' and 'encoding'"
REFUSED: Mapping[str, str] = {
    "url": "write the rows in 'values', and no picture",
    "href": "leave it out",
    "params": "write the values where they are used",
    "param": "write what it selects",
    "selection": "write what it selects",
    "signal": "write the value itself",
    "signals": "write the values where they are used",
    "expr": "write the value itself",
    "repeat": "it must stand beside 'spec'",
    "projection": "maps are not drawn, show the numbers by other marks",
    "impute": "write the missing rows in the data",
    "locale": "write 'format'",
    "gradient": "write one colour",
    "blend": "leave it out",
    "customFormatTypes": "write 'format'",
    "bins": "write 'bin', or rows with the bins' ends",
    "clamp": "write a 'domain' that holds the data",
}
"""Properties that load, loop, grow or run something, and what to write in place of each."""
REFUSED_IN_VIEW: Mapping[str, str] = {
    **REFUSED,
    **dict.fromkeys(("marks", "scales", "axes", "legends"), VEGA),
}

BY_LOT = names("ci ci0 ci1")
"""Confidence intervals: Vega draws samples for them, so no two drawings are alike."""
TICK_INTERVALS = names("day week month quarter year")
WORDS = names("zero center normalize width height container independent shared")
"""What a property of a number may say in place of one."""

_MEND_LOT = "write 'stderr' or 'stdev', or rows with the two ends and y and y2"
_DATA = Property(number=limits.MAX_NUMBER)
"""In the data's units."""
_EXPRESSION = Property(text="expression")
_NUMBER = Property(text="number")
_LINES = Property(text="lines")
_CHANCE = Property(refused=dict.fromkeys(BY_LOT, f"it is drawn by chance: {_MEND_LOT}"))
_TICKS = Property(
    number=limits.MAX_TICKS,
    words=TICK_INTERVALS,
    takes=(int, float, str, list, type(None)),
    what=f"a number or one of {', '.join(sorted(TICK_INTERVALS))}",
)
_AREA = Property(number=limits.MAX_AREA)
_SHAPE = Property(words=limits.SHAPES, what=f"one of {', '.join(sorted(limits.SHAPES))}")
_FORMAT_TYPE = Property(words=names("number time"), takes=(str,), what="'number' or 'time'")

_NAMED: Mapping[str, Property] = {
    **dict.fromkeys(names("calculate filter test and or not labelExpr"), _EXPRESSION),
    **dict.fromkeys(names("data values domain domainMin domainMax domainMid datum"), _DATA),
    **dict.fromkeys(names("equal lt lte gt gte oneOf unionWith step tickMinStep year"), _DATA),
    "constant": replace(_DATA, text="number"),
    "range": replace(_DATA, text="no path"),
    "text": replace(_DATA, text="lines"),
    "title": _LINES,
    "subtitle": _LINES,
    "field": Property(text="field"),
    "format": Property(text="format"),
    "formatType": _FORMAT_TYPE,
    "aggregate": _CHANCE,
    "op": _CHANCE,
    "extent": _CHANCE,
    "tickCount": _TICKS,
    "nice": _TICKS,
    "shape": _SHAPE,
    "symbolType": _SHAPE,
    "size": replace(_AREA, text="number"),
    "rangeMin": _AREA,
    "rangeMax": _AREA,
    "spacing": Property(least=0.0, text="number"),
}
_ENDINGS: tuple[tuple[re.Pattern[str], Property], ...] = (
    (
        re.compile(r"fontsize$", re.IGNORECASE),
        Property(number=limits.MAX_FONT_SIZE, text="number"),
    ),
    (
        # The compiler would take a text here for an expression, or for no number at all.
        re.compile(
            r"(?:opacity|width|height|(?<!auto)size|padding|offset|angle|radius|zindex|limit"
            r"|thickness|tension|translate|labelflush|minextent|maxextent|length|separation"
            r"|position|exponent|base|constant|columns|(?:^|title|legend)[xy]|[xy]2|d[xy]"
            r"|padding(?:inner|outer))$",
            re.IGNORECASE,
        ),
        _NUMBER,
    ),
    (re.compile(r"Format$"), Property(text="format")),
)
_ANY = Property()


@lru_cache(maxsize=1024)
def property_of(name: str) -> Property:
    """What the property of this name may hold, in any object that is open."""
    if name in _NAMED:
        return _NAMED[name]
    return next((kind for ending, kind in _ENDINGS if ending.search(name)), _ANY)


def dropped(name: str, inside: str) -> bool:
    """Whether a property of the object `inside` has no effect on the picture."""
    kept = IN_CONFIG if inside == "config" else ()
    return (name in DROPPED and name not in kept) or name == "font" or name.endswith("Font")
