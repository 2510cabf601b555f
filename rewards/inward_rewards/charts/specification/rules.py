"""The linter's rules in words, for prompts, from the constants that `lint` enforces."""

from __future__ import annotations

from inward_rewards.charts.specification import limits
from inward_rewards.charts.specification.schema import BY_LOT, TICK_INTERVALS


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))


RULES = f"""\
- The specification has at most {limits.MAX_SPEC_BYTES} bytes, and objects and lists nested at \
most {limits.MAX_DEPTH} deep. A string has at most {limits.MAX_STRING} characters, none of them \
control or private-use characters; a list other than data rows has at most {limits.MAX_LIST} \
entries.
- Data are inline rows in `values`, or in `datasets` by name: at most {limits.MAX_ROWS} rows in \
all, of at most {limits.MAX_FIELDS} fields, each cell a number up to {limits.MAX_NUMBER:g}, a \
string, a boolean or null, with no cells in it. Nothing may be loaded: no URL, link or image.
- Marks: {_listed(limits.MARKS)}. At most {limits.MAX_MARKS} views draw one.
- Views are combined by layer, hconcat, vconcat, concat, repeat and facet; a facet, row or column \
makes at most {limits.MAX_FACETS} cells. `spacing` is not negative.
- Encoding channels: {_listed(limits.CHANNELS)}. The names of their fields hold no . [ ] \\ or \
quotes.
- At most {limits.MAX_TRANSFORMS} transforms: {_listed(limits.TRANSFORMS)}. Folds make at most \
{limits.MAX_FOLDED} rows in all. `bin` holds only maxbins (1 to {limits.MAX_BINS}), step (at most \
{limits.MAX_BINS} bins of a data field), extent, nice and binned.
- Expressions stand only in calculate, filter, test and labelExpr: at most {limits.MAX_EXPRESSION} \
characters of datum, true, false, null, PI, E, numbers, strings without \\, arithmetic, \
comparison, && || ! ?: and the functions {_listed(limits.FUNCTIONS)}.
- `width` and `height` are {limits.MIN_SIDE} to {limits.MAX_SIDE} pixels, or a step of \
{limits.MIN_STEP} to {limits.MAX_STEP}; the whole chart is at most {limits.MAX_CANVAS_SIDE} by \
{limits.MAX_CANVAS_SIDE} pixels. Font sizes are at most {limits.MAX_FONT_SIZE}, `tickCount` and \
`nice` at most {limits.MAX_TICKS} or one of {_listed(TICK_INTERVALS)}, a mark's `size` at most \
{limits.MAX_AREA}, other sizes and offsets at most {limits.MAX_STYLE_NUMBER}. `strokeDash` has at \
most {limits.MAX_DASHES} numbers of at least {limits.MIN_DASH}. Shapes: {_listed(limits.SHAPES)}. \
A number format has no three digits in a row and is not of type c.
- Nothing is drawn by chance: no {_listed(BY_LOT)} as an aggregate or an extent, no random().
- Not allowed anywhere: computed params, selections that start with a value, signals, expr, \
maps, impute, links, locales, custom formats, gradients, blend, scale bins, clamped scales, words \
for a size or an offset.
- Ignored: fonts (all text is set in one sans-serif font), other params and selections (the \
picture is the one before any click), tooltips, cursors, descriptions, usermeta.
- Drawing takes at most {limits.MAX_WORK} units of work: 1 for each item of a mark, \
{limits.WORK_TEXT} for each text, 1 for each {limits.WORK_PIXELS} pixels; at most \
{limits.CPU_SECONDS:g} seconds of CPU time and {limits.MEMORY_BYTES >> 20} MiB of memory; the \
picture has at most {limits.MAX_PNG_BYTES >> 20} MiB as a PNG, and its table and texts at most \
{limits.MAX_SCENE_BYTES >> 20} MiB as JSON."""
"""What a specification must keep to; breaking any of it means that nothing is drawn."""
