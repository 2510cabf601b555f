"""What a specification may hold. The linter enforces these numbers and prompts state them."""

from __future__ import annotations

MAX_SPEC_BYTES = 100_000
MAX_DEPTH = 24
MAX_ROWS = 1000
"""Inline data rows in the whole specification."""
MAX_FIELDS = 30
MAX_MARKS = 24
"""Views that draw a mark, over all layers and concatenations."""
MAX_FACETS = 16
MAX_TRANSFORMS = 12
MAX_STRING = 200
MAX_LIST = 200
"""Entries of any list other than data rows."""
MAX_BINS = 60
MAX_TICKS = 40
MAX_NUMBER = 1e15
MAX_STYLE_NUMBER = 2000
"""Any number that sets a size, an offset, a padding or an angle."""
MAX_AREA = 10_000
"""A symbol's size, in square pixels; a bar's width has the same name."""
MAX_FONT_SIZE = 60
MIN_SIDE, MAX_SIDE = 20, 1200
"""A view's `width` and `height`, in pixels."""
MAX_CANVAS_SIDE = 2000
"""The laid-out chart's width and height, in pixels."""
MIN_STEP, MAX_STEP = 2, 200
"""A view's `width` or `height` by category, in pixels."""
MAX_DASHES, MIN_DASH = 8, 0.5
MAX_FOLDED = 4 * MAX_ROWS
MAX_EXPRESSION = 200

MAX_WORK = 12_000
"""See `draw.work`: what is drawn, counted, so that the same chart is drawn on every machine."""
WORK_TEXT, WORK_PIXELS = 3, 700
"""Units of work of a text, and pixels that are one unit."""
CPU_SECONDS = 8.0
"""The last wall, for what is not counted."""
MEMORY_BYTES = 3 << 29
MAX_PNG_BYTES = 4 << 20
MAX_SCENE_BYTES = 1 << 20
"""Of the table as drawn and the visible text, as JSON."""


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MARKS = names(
    "arc area bar boxplot circle errorband errorbar line point rect rule square text tick trail"
)
CHANNELS = names(
    "x y x2 y2 xOffset yOffset xError yError xError2 yError2 theta theta2 radius radius2 "
    "color fill stroke opacity fillOpacity strokeOpacity strokeWidth strokeDash size shape "
    "angle text detail order row column facet tooltip"
)
TRANSFORMS = names("aggregate bin calculate filter fold joinaggregate pivot stack timeUnit window")
FUNCTIONS = names(
    "abs ceil floor round sqrt exp log pow min max clamp sin cos tan isValid isNumber isFinite "
    "toNumber toString toDate length lower upper slice substring indexof format timeFormat "
    "datetime year quarter month date day hours minutes if"
)
SHAPES = names(
    "circle square cross diamond triangle triangle-up triangle-down triangle-right "
    "triangle-left stroke arrow wedge"
)
