"""Plain English about a chart, read by rules: kind, title, axes, series, numbers, looks.

    chart = read('A bar chart titled "Rain". Oslo: 12, Rome: 30.')
    chart.kind, chart.title, chart.series[0].observations

A description is cut into tables and lines (`text`), lines into statements, and each statement goes
to the rules of what it may speak of, in the order of `understood`; numbers end in `collect`, and
`finish` decides what their places are once all is read. The surprise: nothing is refused. A
statement that no rule understands is left out and counted (`PlainChart.ignored`), and of two
statements about one place the last counts.
"""

from __future__ import annotations

import itertools
import re

from inward_rewards.images.plain.asides import sums_up, without_asides
from inward_rewards.images.plain.axes import AXIS, axes_of, beside_axes, columns_of
from inward_rewards.images.plain.chart import PlainChart, Series
from inward_rewards.images.plain.collect import MAX_OBSERVATIONS, data, names, take_values
from inward_rewards.images.plain.fields import field
from inward_rewards.images.plain.figures_in_words import in_figures
from inward_rewards.images.plain.finish import finished
from inward_rewards.images.plain.groups import SHAPE, combined, group, rule_line, shape
from inward_rewards.images.plain.kinds import (
    BARE_KINDS,
    caption,
    first_kind,
    kind_of,
    loose_title,
    marked_title,
    title_of,
    variety,
)
from inward_rewards.images.plain.legends import colors_of, legend_of, variants_of
from inward_rewards.images.plain.notes import note
from inward_rewards.images.plain.numbers import NUMBER, NUMBERS
from inward_rewards.images.plain.panels import Part, parts_of, sheet_columns
from inward_rewards.images.plain.sections import is_section, is_talk, open_head, speaks
from inward_rewards.images.plain.state import State
from inward_rewards.images.plain.style import style_of
from inward_rewards.images.plain.tables import table
from inward_rewards.images.plain.text import NAME, Line, Table, Text, cut, sentences
from inward_rewards.images.plain.turning import turned

_PANEL = re.compile(
    rf"^(?:in )?(?:the )?(?:\w+ )?panel,? (?:for |of |titled |named )?({NAME}|[^:,]{{1,60}}?)"
    r"\s*[:,]\s*(.*)$",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"(?:^|;)\s*(?:title|[xy](?:[- ]axis)?|values|data|legend)\s*[:=]", re.IGNORECASE
)
"""Fields that share a line."""
_LISTS = re.compile(
    rf"(?:^|; ?|\. )[^:;.\d]{{1,40}}: *[^:;\d]{{0,20}}{NUMBER}[^;\d]{{1,20}}{NUMBER}"
)
"""Series that share a line: `Ours: 94, 88; baseline: 93, 71`."""

_ROW = re.compile(rf"^[^:;]{{1,40}}: *{NUMBER}(?:,? (?:and )?|, ?){NUMBER}")
"""`2019: 3, 4; 2021: 5, 6`"""
_KIND_BEHIND = re.compile(r"^(?!No\b|Yes\b)([A-Z](?:[^.:;()?]){2,80}) \(([^()]{3,60})\):?$")
"""`Water level (line chart)`"""
_TITLE_ALONE = re.compile(r"[A-Z][^.;:()]{3,80}")
"""The first words, where they say nothing else."""
_NAMED_KIND = re.compile(rf"^({NAME})\s*(?:[:–—]|-(?= ))\s*(\S.*)$")
_ON_THE_RIGHT = re.compile(
    r",? (?:(?:is |are )?(?:measured|shown|plotted|drawn|read) )?on (?:the |a |its own )?"
    r"(?:right|second|secondary|right-hand)(?: y| vertical)?[- ]axis(?: in [\w%]{1,20})?,?",
    re.IGNORECASE,
)
_UNITS = re.compile(
    r"\bin (?:thousand|million|billion)s\b|\((?:in )?(?:[a-z$€£]{1,10} )?(?:thousand|million"
    r"|billion)s?\b",
    re.IGNORECASE,
)
_PLACEMENT = re.compile(
    r"^(?:after|behind|toward|towards|at|near|below|above|beneath|next to|on|in|from|"
    r"to)\s+(?:the |it\b|this\b|that\b|them\b)?"
    r"(?:very )?(?:bottom|top|left|right|middle|centre|center|other|far|end)?(?: (?:left|"
    r"right|end|side))?"
    r"(?:,|\s+(?:are|is|comes?|sits?|stands?|follows?|we find|there (?:is|are)))\s+(?:the )?",
    re.IGNORECASE,
)
"""Where on the page something stands: `At the top,`, `Below it is`."""


def read(description: str) -> PlainChart:
    """What a description says about a chart, as far as the rules understand it."""
    text = cut(description)
    before, parts = parts_of(text.pieces)
    if not parts:
        return _one(text)
    sheet = _one(Text(before, text.quotes))
    sheet.columns = sheet_columns(before, parts)
    sheet.panels = [_panel(part, text, sheet) for part in parts]
    sheet.series = []
    _within_the_limit(sheet.panels)
    sheet.statements += sum(panel.statements for panel in sheet.panels)
    sheet.ignored += sum(panel.ignored for panel in sheet.panels)
    return sheet


def _within_the_limit(panels: list[PlainChart]) -> None:
    """All plots of a sheet are one drawing, which holds so many observations."""
    room = MAX_OBSERVATIONS
    for series in (one for panel in panels for one in panel.series):
        series.observations = series.observations[:room]
        room -= len(series.observations)


def _panel(part: Part, text: Text, sheet: PlainChart) -> PlainChart:
    """A plot of a sheet, in the sheet's looks where it has none of its own."""
    panel = _one(Text(part.pieces, text.quotes))
    panel.title = panel.title or text.unquoted(part.title)
    own = PlainChart().looks
    for name, value in vars(sheet.looks).items():
        if getattr(panel.looks, name) == getattr(own, name):
            setattr(panel.looks, name, value)
    panel.width, panel.height = panel.width or sheet.width, panel.height or sheet.height
    return panel


def _one(text: Text) -> PlainChart:
    """What the pieces say of one plot."""
    state = State(text)
    pieces = state.text.pieces
    named = first_kind(piece.text for piece in pieces if isinstance(piece, Line))
    state.chart.kind, state.chart.histogram, state.chart.donut = (
        *(named.kind, named.histogram, named.donut),
    )
    if named.kind is None:
        # `bars for sales and a line for margin` names none, and is told before the numbers.
        for piece in pieces:
            if isinstance(piece, Line) and combined(state, piece.text):
                break
    state.chart.in_units = any(
        _UNITS.search(piece.text) for piece in pieces if isinstance(piece, Line)
    )
    for piece, following in itertools.zip_longest(pieces, pieces[1:]):
        if isinstance(piece, Table):
            table(state, piece)
            continue
        deeper = isinstance(following, Line) and following.indent > piece.indent
        line(state, piece, deeper or isinstance(following, Table))
    chart = state.chart
    chart.title = chart.title or state.header
    _without_subject(state)
    chart.series = [series for series in chart.series if series.observations]
    chart = finished(chart)
    if chart.observed:  # words behind which nothing is told are no chart
        chart.title = chart.title or state.opening
    return chart


def _without_subject(state: State) -> None:
    """What the chart is about is no entry of a legend: the one subject, or several that share no
    place (`the price starts at 3 in 2010. Sales reach 9 in 2020`)."""
    chart = state.chart
    names = {series.name for series in chart.series if series.name}
    places = [o.x for series in chart.series for o in series.observations]
    alone = len(names) >= 3 and all(len(series.observations) == 1 for series in chart.series)
    if alone and chart.kind == "point" and not chart.legend and not chart.strip:
        # Points with a name each: their labels, and no series.
        names = set()
        for series in chart.series:
            series.name = ""
    one = len(names) == 1 and not chart.legend and chart.kind not in ("arc", "cell", "box")
    if not chart.kinds and (
        one or (names <= state.subjects and (len(names) == 1 or len(set(places)) == len(places)))
    ):
        chart.y.title = chart.y.title or (names.pop() if one else "")
        for series in chart.series:
            series.name = ""
    _joined(chart)
    turned(chart)


def _joined(chart: PlainChart) -> None:
    """Series of one name and one kind are one: the last of two statements about a place counts."""
    known: dict[tuple[str, str, str | None], Series] = {}
    for series in chart.series:
        first = known.setdefault((series.panel, series.name, series.kind), series)
        if first is not series and series.kind != "rule":
            told = {o.x for o in series.observations}
            if chart.kind != "point" and not chart.strip:
                first.observations = [o for o in first.observations if o.x not in told]
            first.observations += series.observations
            series.observations = []


def line(state: State, line: Line, opens: bool) -> None:
    """A line: a heading, the head of a list (`opens`: what follows is deeper), or statements."""
    while state.heads and state.heads[-1][0] >= line.indent:
        state.heads.pop()
    text = line.text
    bare = text.rstrip(":").strip()
    if state.axis and line.indent <= state.axis_indent:
        state.axis = ""
    if (opens or text.endswith(":")) and (mention := AXIS.fullmatch(bare)):
        state.axis = "right" if mention["right"] else "y" if mention["y"] else "x"
        state.axis_indent = line.indent
        state.chart.statements += 1
        return
    named = state.header or state.opening or state.chart.title
    if line.header and opens and named and len(text) <= 60 and not speaks(bare):
        open_head(state, line.indent, bare)
        return
    if state.talk is not None and line.indent <= state.talk:
        state.talk = None
    if line.header and is_talk(text):
        state.talk = line.indent
    if line.header and not NUMBERS.search(text):
        state.chart.statements += 1
        rest = kind_of(text, state.chart)
        if rest != text:
            loose_title(rest, state)
        elif not state.by_head and not is_section(text):
            state.header = state.header or state.unquote(text)
        return
    titled = _KIND_BEHIND.match(text)
    if titled and not state.chart.title and _names_kind(titled[2]):
        statement(state, text)
        return
    head = re.sub(r"\s*\([^()]*\)$", "", bare)
    if (text.endswith(":") or opens) and len(head) <= 60 and not speaks(head):
        open_head(state, line.indent, bare)
        return
    several = len(_SEVERAL.findall(text)) >= 2 or len(_LISTS.findall(text)) >= 2
    several = several or (text.count(";") >= 2 and bool(_SEVERAL.search(text)))
    parts = text.split(";") if several else [text]
    for part in parts:
        for sentence in sentences(part):
            first, _, rest = sentence.partition(";")
            # What follows the words about an axis may be data.
            if rest and AXIS.search(first) and not AXIS.search(rest):
                statement(state, first)
                sentence = rest.strip()
            rows = sentence.split(";")
            for row in rows if all(map(_ROW.match, rows)) else [sentence]:
                statement(state, row.strip())


def statement(state: State, text: str) -> None:
    state.chart.statements += 1
    named = _NAMED_KIND.match(text) or _KIND_BEHIND.match(text)
    if named and not state.chart.title and _names_kind(named[2]):
        state.chart.title, text = state.unquote(named[1]), named[2]
    repeats = sums_up(text) and state.chart.observed > 0
    if repeats or not understood(state, in_figures(without_asides(text))):
        state.chart.ignored += 1
        if state.chart.statements == 1 and not state.header and _TITLE_ALONE.fullmatch(text):
            state.opening = state.unquote(text)


def _names_kind(text: str) -> bool:
    probe = PlainChart()
    return kind_of(text, probe) != text


def understood(state: State, text: str) -> bool:
    chart = state.chart
    known = _known(state)
    text = caption(text, state)
    if not text:
        return True
    if drawn := SHAPE.match(text):
        return shape(state, drawn)
    if note(state, text):
        return True
    varied = variants_of(text, state)
    if panel := _PANEL.match(text):
        state.panel = state.unquote(panel[1])
        return not panel[2] or understood(state, panel[2])
    if done := field(state, text):
        return done
    if rule_line(state, text):
        return True
    if not NUMBERS.search(text):
        # The rest of the sentence may tell the title.
        combined(state, text)
    if group(state, text):
        return True
    if chart.kinds and (right := _ON_THE_RIGHT.search(text)):
        before = text[: right.start()].lower()
        chart.right_names.add(max(chart.kinds, key=before.rfind))
        text = f"{text[: right.start()]} {text[right.end() :]}"
    text = _PLACEMENT.sub("", text)
    if text.lower() in BARE_KINDS:
        return True
    rest = title_of(marked_title(text, state), chart, state.unquote)
    before = rest
    rest = kind_of(rest, chart)
    kind_named = rest != before
    if kind_named or re.fullmatch(rf"\W*{NAME}\W*", rest):
        rest = loose_title(rest, state)
    variety(rest.lower(), chart)
    if chart.kind == "cell":
        columns_of(rest, chart, state.unquote)
    if legend_of(rest, chart, state.unquote):
        return True
    if re.search(NUMBERS, rest) or "(" in rest:
        trimmed = beside_axes(rest, chart)
        if trimmed != rest and not AXIS.search(trimmed):
            return data(state, trimmed, state.head) or True
        rest = trimmed
    if axes_of(rest, chart, state.unquote):
        take_values(state)
        return True
    style = style_of(rest, chart)
    # A word of a dash or a symbol may be just a word beside numbers: `a solid 30`.
    looks = style or (varied and not NUMBERS.search(rest))
    if looks and not re.search(NAME, rest) and not re.search(r":\s*\S", rest):
        return True
    found = data(state, rest, state.head)
    shaded = colors_of(text, chart, state.unquote)
    named = False if found else names(state, rest)
    return found or shaded or named or style or varied or kind_named or _known(state) != known


def _known(state: State) -> tuple[object, ...]:
    c = state.chart
    return (
        c.kind,
        c.title,
        c.subtitle,
        c.horizontal,
        c.stack,
        c.dots,
        c.printed,
        c.color,
        len(c.colors),
    )
