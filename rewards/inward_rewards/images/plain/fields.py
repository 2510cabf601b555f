"""Statements of the form `Key: value`."""

from __future__ import annotations

import re
from dataclasses import replace

from inward_rewards.images.plain.axes import AXIS, axes_of, axis_words
from inward_rewards.images.plain.boxes import box, part_of
from inward_rewards.images.plain.chart import Kind
from inward_rewards.images.plain.collect import add, data, observe, series_of, take_values, told
from inward_rewards.images.plain.facts import listed
from inward_rewards.images.plain.groups import GROUP_WORDS
from inward_rewards.images.plain.kinds import typed_kind
from inward_rewards.images.plain.legends import colors_of, legend_of
from inward_rewards.images.plain.numbers import NUMBER, NUMBERS, color, number, numbers
from inward_rewards.images.plain.runs import is_time
from inward_rewards.images.plain.sections import is_talk
from inward_rewards.images.plain.state import State
from inward_rewards.images.plain.style import style_of
from inward_rewards.images.plain.text import NAME

_FIELD = re.compile(r"^([^:=]{1,80}?)\s*[:=]\s+(\S.*)$|^([^:=]{1,80}?)\s*:$")
_META = re.compile(
    r"(?:total )?(?:number|count|no|amount) of |(?:data )?(?:points?|series|bars?) count$"
)
"""How many marks there are: the marks themselves are counted."""
_OF_AXIS = re.compile(
    r"(?:axis )?(?:labels?|title|name|range|scale|limits|units?|categories|values|ticks|"
    r"tick (?:marks|values)"
    r"|entries|variable)"
)
_OTHER_AXIS = re.compile(r"[,;] (?:and )?y ?[:=]")
_NOTED = re.compile(
    rf"{NUMBER}\s*\((?![\d.,]+\))[^():]{{0,40}}\)\s*(?:$|[,;]\s*(?:and )?[^,:]{{1,60}}:)"
)
"""`12 (40 %)`, alone or before another name: the key names it."""
_UNIT = re.compile(r"\((?:in )?(%|[A-Za-zµ°€$£]{1,4}|[A-Za-zµ°€$£]{1,4}/[\w ]{1,8})\)$")
_THEN = re.compile(r"^(?:and )?then (?=\S)", re.IGNORECASE)
_STANDS_FOR = re.compile(
    r"^(?:the |an? )?(?:[\w-]{1,20} ){0,3}(?:line|curve|bars?|area|series|segments?|dots"
    r"|points|layer)s?"
    r",? (?:in [a-z ]{3,20},? )?(?:represents?|shows?|is for|denotes?|stands? for|indicates?"
    r"|is|depicts?"
    r"|tracks|gives) (?:the )?([^:]{1,60})$",
    re.IGNORECASE,
)
"""`The blue line represents Seattle`, before a colon."""
_MOVES = re.compile(
    r"(?<=\w),? (?:stays?|remains?|rises?|falls?|grows?|declines?|drops?|climbs?|goes|"
    r"moves|keeps?|is (?:much |slightly |always |nearly |almost |the )?"
    r"(?:higher|lower|highest|lowest|flat|constant|stable|steady|unchanged|similar|smoother))\b"
)
_TYPES = frozenset(
    "type|kind|chart|chart type|chart kind|plot type|graph type|plot|graph|figure type|"
    "type of chart|kind of chart|type of plot|type of graph|visualization type".split("|")
)
_POINT_LISTS = frozenset(
    "points|data|data points|values|the points|dots|bins|slices|bars|segments|numbers|results|"
    "shares|readings|pts|coordinates|coords|pairs|entries|wedges|sectors|columns|heights|rows".split(
        "|"
    )
)


def field(state: State, text: str) -> bool:
    """`Key: value`, where the key is one that charts have, or the name of a series."""
    match = _FIELD.match(text)
    if match is None or match[1] is None:
        return False
    key, value = _THEN.sub("", match[1].strip()), match[2].strip()
    word = re.sub(r"[\W_]+", " ", key.lower()).strip()
    chart = state.chart
    if is_talk(key) and not NUMBERS.match(value):
        return True
    if word in _TYPES:
        typed_kind(value, chart)
        return True
    if _META.match(word) or word in ("source", "sources", "data source", "data sources"):
        return True
    if state.axis and _OF_AXIS.fullmatch(word):
        axis = chart.x if state.axis == "x" else chart.y if state.axis == "y" else chart.right
        if word in ("categories", "values", "labels", "entries") and len(listed(value)) >= 2:
            axis.members = [state.unquote(name) for name in listed(value)]
            return True
        axis_words(axis, value, chart, state.unquote)
        return True
    if chart.kind == "box" and (part := part_of(key)) and state.head:
        return box_part(state, part, value)
    if word in ("title", "chart title", "heading", "name", "main title", "graph title"):
        chart.title = chart.title or state.unquote(value).strip(" .")
        return True
    if word in ("subtitle", "sub title"):
        chart.subtitle = state.unquote(value)
        return True
    if place := re.fullmatch(
        r"(x|y|horizontal|vertical|right|left|bottom)(?: ax[ei]s)?(?: (?:label|title|name))?",
        word,
    ):
        if AXIS.search(value) or _OTHER_AXIS.search(value):
            return axes_of(text, chart, state.unquote)
        axis = (
            chart.y
            if place[1] in ("y", "vertical", "left")
            else chart.right
            if place[1] == "right"
            else chart.x
        )
        axis_words(axis, value, chart, state.unquote)
        take_values(state)
        return True
    if place := re.fullmatch(r"(x|y|horizontal|vertical)(?: axis)? (?:range|limits|scale)", word):
        axis_words(
            chart.y if place[1] in ("y", "vertical") else chart.x, value, chart, state.unquote
        )
        return True
    if place := re.fullmatch(
        r"(?:(x|y|horizontal|vertical)(?: axis)? )?(?:axis )?tick(?:s| labels?| marks?| values?)",
        word,
    ):
        axis = chart.x if place[1] in ("x", "horizontal") else chart.y
        axis_words(axis, f"ticks {value}", chart, state.unquote)
        return True
    if word in ("series", "legend", "legend entries", "groups", "lines"):
        if (word == "legend" and not re.search(r",|;|\band\b", value)) or re.search(
            r"titled?\b", value
        ):
            return legend_of(text, chart, state.unquote)
        chart.legend = [
            state.unquote(re.split(r"\s*[(=]|\s+-\s", name)[0])
            for name in listed(re.sub(r"^.{0,60}?:\s*", "", value))
        ]
        colors_of(value, chart, state.unquote)
        return True
    if word in ("legend title", "legend name"):
        chart.legend_title = state.unquote(value)
        return True
    if word in ("categories", "labels", "x values", "x labels", "categories in order") and len(
        numbers(value)
    ) in (0, len(listed(value))):
        chart.x.members = [state.unquote(name) for name in listed(value)]
        return True
    if word in ("rows", "columns", "cols", "x categories") and len(listed(value)) >= 2:
        names = [state.unquote(name) for name in listed(value)]
        if not any(re.search(r"[A-Za-z]\W+\d", name) for name in names):
            if word != "rows" or chart.kind != "cell":
                chart.x.members = names
            return True
    if word in ("colors", "colours", "color", "colour"):
        if not colors_of(value, chart, state.unquote):
            chart.color = color(value) or ""
        return True
    if word in ("background", "size", "grid", "gridlines"):
        return style_of(text, chart)
    places = listed(value)
    if len(places) >= 2 and not chart.x.members and all(map(is_time, places)):
        chart.x.members, chart.x.title = places, chart.x.title or state.unquote(key)
        return True
    if word in _POINT_LISTS or (
        re.fullmatch(r"(?:data )?(?:points|values) [\w ]*", word) and "(" in key
    ):
        return data(state, value, state.head)
    if re.search(r"\b(?:axis|title|legend|chart|plot|scale|panel|whisker)\b", word) or AXIS.search(
        key
    ):
        return False
    if _NOTED.match(value):
        return False
    found = told(state, value)
    if found and found[0].label is None and not found[0].more and any(f.label for f in found):
        return False
    if len(found) == 1 and found[0].label is None and found[0].value and not found[0].more:
        name = _group_name(state, key) if chart.strip else key
        return add(state, [replace(found[0], label=name or key)], state.head, None)
    bare = len(found) >= 2 and not any(f.label or f.more or f.box or f.interval for f in found)
    if (
        bare
        and number(key)
        and len(found) == len(chart.x.members)
        and (chart.kind == "cell" or chart.stack)
    ):
        return add(state, found, key, None)  # a row that is named by a year
    explicit = len(found) >= 2 or bool(found and found[0].label and found[0].label != value)
    if (
        explicit
        and not found[0].box
        and not NUMBERS.search(re.sub(r"(?:series|line|group) \d+", "", key, flags=re.IGNORECASE))
    ) or (len(found) >= 2 and found[0].label):
        name = _group_name(state, key)
        return add(state, found, name, _group_kind(state, key), notes=key)
    return False


def box_part(state: State, part: str, value: str) -> bool:
    """One number of the box that a heading names."""
    parts = state.boxes.setdefault(state.head, {})
    parts[part] = [found.value for found in numbers(value)]
    fact = box(parts, percent="%" in value)
    if fact is not None:
        observe(state, series_of(state, "", None), state.head, fact)
    return bool(parts[part])


def _group_name(state: State, key: str) -> str:
    if quoted := re.findall(NAME, key):
        return state.unquote(quoted[-1])
    if numbered := re.match(
        r"^(?:series|line|group) (?:\d+|[a-z]) \(([^(),]{1,60})(?:,[^()]{0,40})?\)$",
        key,
        re.IGNORECASE,
    ):
        return state.unquote(numbered[1]).strip()
    if re.match(r"^there(?: are| is|['’]s)\b", key, re.IGNORECASE):
        state.chart.color = color(key) or state.chart.color
        return ""
    if state.chart.histogram and re.search(r"\b(?:bins?|histogram|width)\b", key, re.IGNORECASE):
        return ""
    if stands := _STANDS_FOR.match(key):
        return state.unquote(stands[1]).strip(" ,")
    if (unit := _UNIT.search(key)) and not color(unit[1]):
        # `Mean yield (t/ha): control 2.1, N 3.4`: what is measured, and no series.
        state.chart.y.title = state.chart.y.title or state.unquote(key)
        return ""
    if moves := _MOVES.search(key):
        return state.unquote(key[: moves.start()]).strip(" ,")
    if re.search(r"\b(?:is|are|shows?|represents?|gives?|indicates?|means)\b", key):
        return ""
    key = re.sub(r"\s*\([^()]*\)\s*$", "", key)
    key = re.sub(
        r"^(?:the )?(?:values|data|line|bars|series|points|numbers|row|figures)(?:"
        r" points| values)?\s+(?:for|of|in|at)\s+(?:the )?(?:year )?|^(?:for|in|s"
        r"eries|line) ",
        "",
        key,
        flags=re.IGNORECASE,
    )
    if state.chart.kind == "cell":
        key = re.sub(r"^row ", "", key, flags=re.IGNORECASE)
    key = re.sub(
        r"\s+(?:line|bars|series|values|data)$|^the (?=[a-z]+$)",
        "",
        key.strip(),
        flags=re.IGNORECASE,
    )
    if (
        re.search(r"\b(?:bars|slices|segments|columns|points|dots|values|numbers|lines)$", key)
        and len(key.split()) > 2
    ):
        state.chart.color = color(key) or state.chart.color
        return ""
    return "" if key.lower().strip() in _POINT_LISTS or key.lower() in GROUP_WORDS else key.strip()


def _group_kind(state: State, key: str) -> Kind | None:
    words = re.findall(r"[a-z]+", re.sub(r"\([^()]*\)", "", key.lower()))
    if not state.chart.kind:
        return None
    return next((GROUP_WORDS[word] for word in words if GROUP_WORDS.get(word)), None)
