"""Which numbers and names each mark of a compiled chart is placed by.

Vega-Lite is compiled to Vega, whose marks name a scale and a field for every channel. `instrument`
makes each drawn item carry the values behind its channels in its `description`, which comes out of
the renderer's scenegraph: after every transform, aggregation and stack, and beyond the policy's
reach, since whatever the specification had there is overwritten. The labels of axes and legends
carry the values that they print as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["discrete", "quantitative", "temporal"]
Value = str | float | None

SEPARATOR = "\ue01f"
PLACE = "@"
"""Between a number and the pixel at which it is drawn. `SEPARATOR` is a private-use character; the
linter refuses those."""
CHANNELS = {
    "x": "x",
    "xc": "x",
    "x2": "x2",
    "y": "y",
    "yc": "y",
    "y2": "y2",
    "startAngle": "theta",
    "endAngle": "theta2",
    "outerRadius": "radius",
    "innerRadius": "radius2",
    "fill": "color",
    "stroke": "color",
    "size": "size",
    "shape": "shape",
    "strokeDash": "strokeDash",
    "opacity": "opacity",
    "text": "text",
}
"""Vega's channels by the name of Vega-Lite's; a later one of two that are equal is left out."""
LEGEND_CHANNELS = ("fill", "stroke", "size", "shape", "opacity", "strokeDash", "strokeWidth")
"""Under these names a legend has the scales that it prints."""
SAME_MARK = {"circle": "point", "square": "point", "trail": "line"}
DISCRETE = {"band", "point", "ordinal"}
TEMPORAL = {"time", "utc"}
PANEL = re.compile(r"concat_\d+_group$")
"""Names of the groups that stand side by side."""
STEPPED = {"threshold", "quantize", "quantile", "bin-ordinal"}
"""Scales that draw many values alike."""
MAX_SHIFT = 3.0
"""Pixels by which an item may be drawn beside the place of its value."""
ROW_FIELD = re.compile(r"""(?P<row>arg(?:min|max)_[^\[\]]*)\[(['"])(?P<field>.*)\2\]""")
FIELD = re.compile(r'datum\["((?:[^"\\]|\\.)*)"\]')


@dataclass(frozen=True)
class Channel:
    name: str
    kind: Kind
    expression: str
    scale: str = ""
    log: bool = False
    shared: bool = False
    """Whether all panels have the scale."""
    units: frozenset[str] = frozenset()
    """Of a time, those that a time unit keeps; all, where there are none."""


@dataclass(frozen=True)
class MarkPlan:
    """How to read the items of one mark definition."""

    kind: str
    """The Vega-Lite mark: bar, line, point…"""
    channels: tuple[Channel, ...]
    stacked: frozenset[str]
    """Of x, y, theta and radius, those whose value is the difference of the two ends."""
    from_zero: frozenset[str]
    """Of x and y, those whose second end is the scale's zero."""
    shifted: bool
    """Items stand beside the places of their numbers."""


@dataclass
class Plan:
    marks: dict[str, MarkPlan] = field(default_factory=dict)
    facets: dict[str, int] = field(default_factory=dict)
    """Names of the groups that are one facet's cell, and how many fields tell them apart."""


def instrument(vega: dict[str, Any]) -> Plan:
    """Renames and describes, in place, the marks of a compiled chart; returns how to read them."""
    plan = Plan()
    scales = _Scales(vega)
    groups = list(_groups(vega))
    panels = [mark for mark, _ in groups if _is_panel(mark)]
    titled = sum(_title(panel) is not None for panel in panels) > 1
    for group in (vega, *(mark for mark, _ in groups if mark["type"] == "group")):
        _label(group)
    titles = [_title(mark) if titled and _is_panel(mark) else None for mark, _ in groups]
    for index, ((mark, siblings), title) in enumerate(zip(groups, titles, strict=True)):
        if mark["type"] == "group":
            facet = mark.get("from", {}).get("facet")
            if facet and not mark.get("name", "").endswith("pathgroup"):
                fields = facet["groupby"] if isinstance(facet["groupby"], list) else []
                _cell(plan, mark, index, [f"datum[{json.dumps(name)}]" for name in fields])
            elif title is not None:
                _cell(plan, mark, index, [json.dumps(title)])
        else:
            mark["name"] = f"m{index}"
            # The SVG has descriptions only of what is meant to be read aloud.
            mark.pop("aria", None)
            plan.marks[mark["name"]] = read = _read(mark, siblings, scales)
            _describe(mark, [_drawn(channel) for channel in read.channels])
    return plan


class _Scales:
    """What a chart says of its scales, stacks and units of time, wherever they stand."""

    def __init__(self, vega: dict[str, Any]) -> None:
        self.types = {scale["name"]: scale["type"] for scale in each(vega, "scales")}
        self.shared = {scale["name"] for scale in vega.get("scales", ())}
        transforms = [
            transform for data in each(vega, "data") for transform in data.get("transform", ())
        ]
        self.stacks = {tuple(t["as"]) for t in transforms if t["type"] == "stack"}
        self.units = {
            f"datum[{json.dumps(name)}]": frozenset(t.get("units", ()))
            for t in transforms
            if t["type"] == "timeunit"
            for name in t.get("as", ())
        }


def _cell(plan: Plan, group: dict[str, Any], index: int, keys: list[str]) -> None:
    group["name"] = f"g{index}"
    plan.facets[group["name"]] = len(keys)
    _describe(group, [_typed(key) for key in keys])


def _is_panel(group: dict[str, Any]) -> bool:
    """Whether it is one of several views side by side, which its title names as a facet's does."""
    return PANEL.search(group.get("name", "")) is not None


def _label(group: dict[str, Any]) -> None:
    """Makes the labels of a group's axes and legends carry their scales and values."""
    for guide in (*group.get("axes", ()), *group.get("legends", ())):
        scales = [guide[key] for key in ("scale", *LEGEND_CHANNELS) if key in guide]
        labels = guide.setdefault("encode", {}).setdefault("labels", {})
        value = f" + {json.dumps(SEPARATOR)} + {_typed('datum.value')}"
        labels.setdefault("update", {})["description"] = {
            "signal": json.dumps(SEPARATOR.join(dict.fromkeys(scales))) + value
        }


def _title(group: dict[str, Any]) -> str | None:
    title = group.get("title")
    text = title.get("text") if isinstance(title, dict) else title
    lines: list[Any] = text if isinstance(text, list) else [text]
    return " ".join(lines) if all(isinstance(line, str) for line in lines) else None


def _groups(node: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Every mark, with those beside it in its group."""
    marks = node.get("marks", [])
    for mark in marks:
        yield mark, marks
    for mark in marks:
        if mark["type"] == "group":
            yield from _groups(mark)


def each(node: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    """Every entry of the lists called `key` in a group and in the groups under it."""
    yield from node.get(key, ())
    for mark in node.get("marks", ()):
        if mark["type"] == "group":
            yield from each(mark, key)


def _describe(mark: dict[str, Any], parts: list[str]) -> None:
    update = mark.setdefault("encode", {}).setdefault("update", {})
    update["description"] = {"signal": f" + {json.dumps(SEPARATOR)} + ".join(parts) or "''"}


def _drawn(channel: Channel) -> str:
    """The expression that writes a channel's value, and the place of a number or a time."""
    place = ""
    if channel.kind != "discrete" and channel.name in ("x", "x2", "y", "y2"):
        scaled = f"scale({json.dumps(channel.scale)}, {channel.expression})"
        place = f" + {json.dumps(PLACE)} + {scaled}"
    return _typed(channel.expression, place)


def _typed(e: str, place: str = "") -> str:
    return (
        f"(!isValid({e}) ? 'n' : isDate({e}) ? 't' + time({e}){place} : "
        f"isNumber({e}) ? 'd' + ({e}){place} : 's' + ({e}))"
    )


def _read(mark: dict[str, Any], siblings: list[dict[str, Any]], scales: _Scales) -> MarkPlan:
    update = mark.get("encode", {}).get("update", {})
    style = mark.get("style") or [mark["type"]]
    kind: str = style[0] if isinstance(style, list) else style
    channels: dict[str, Channel] = {}
    from_zero = set()
    shifted = False
    for vega_name, name in CHANNELS.items():
        if name in channels:
            continue
        if name == "text":
            if printed := _printed(update.get("text")):
                channels[name] = Channel(name, "quantitative", printed)
            continue
        rule = _scaled(update.get(vega_name))
        if rule is None and kind == "rule" and name in ("x", "y"):
            rule = _at_pixel(update.get(name), name, siblings, scales)
        if rule is None or scales.types.get(rule["scale"]) in STEPPED:
            continue
        shifted = shifted or _shifted(rule, scales.types)
        if name in ("x2", "y2") and rule.get("value") == 0:
            from_zero.add(name[0])
        channels[name] = _channel(name, rule, scales)
        offset = rule.get("offset")
        if isinstance(offset, dict) and _scaled(offset):
            channels[f"{name}Offset"] = _channel(f"{name}Offset", offset, scales)
    return MarkPlan(
        kind=SAME_MARK.get(kind, kind),
        channels=tuple(channels.values()),
        stacked=frozenset(
            name
            for name in ("x", "y", "theta", "radius")
            if _is_stack(channels.get(name), channels.get(f"{name}2"), scales.stacks)
        ),
        from_zero=frozenset(from_zero),
        shifted=shifted,
    )


def _channel(name: str, rule: dict[str, Any], scales: _Scales) -> Channel:
    kind = scales.types.get(rule["scale"], "linear")
    if "field" in rule:
        expression = _datum(rule["field"])
    elif "signal" in rule:
        expression = f"({rule['signal']})"
    else:
        expression = json.dumps(rule["value"])
    return Channel(
        name,
        "discrete" if kind in DISCRETE else "temporal" if kind in TEMPORAL else "quantitative",
        expression,
        rule["scale"],
        log=kind == "log",
        shared=rule["scale"] in scales.shared,
        units=scales.units.get(expression, frozenset()),
    )


def _datum(name: str) -> str:
    """The expression of a field, which may be one of a row that an aggregate picked."""
    if inner := ROW_FIELD.fullmatch(name):
        return f"datum[{json.dumps(inner['row'])}][{json.dumps(inner['field'])}]"
    return f"datum[{json.dumps(name)}]"


def _scaled(rule: Any) -> dict[str, Any] | None:
    """The part of an encoding rule that puts a value of the data through a scale."""
    for part in reversed(rule if isinstance(rule, list) else [rule]):
        if (
            isinstance(part, dict)
            and isinstance(part.get("scale"), str)
            and (isinstance(part.get("field"), str) or "signal" in part or "value" in part)
        ):
            return part
    return None


def _at_pixel(
    rule: Any, name: str, siblings: list[dict[str, Any]], scales: _Scales
) -> dict[str, Any] | None:
    """A line across the plot at a pixel, as the value that the one scale of its axis has there."""
    if not isinstance(rule, dict) or not isinstance(rule.get("value"), int | float):
        return None
    found = {
        part["scale"]
        for mark in siblings
        if (part := _scaled(mark.get("encode", {}).get("update", {}).get(name)))
    }
    types = {scales.types.get(scale) for scale in found}
    if len(found) != 1 or types & (DISCRETE | STEPPED):
        return None
    scale = found.pop()
    return {"scale": scale, "signal": f"invert({json.dumps(scale)}, {rule['value']})"}


def _shifted(rule: dict[str, Any], scales: dict[str, str]) -> bool:
    """Whether the items stand beside the places of their numbers."""
    offset = rule.get("offset")
    on_numbers = scales.get(rule["scale"], "linear") not in DISCRETE
    return on_numbers and isinstance(offset, int | float) and abs(offset) > MAX_SHIFT


def _printed(rule: Any) -> str | None:
    """The expression of the one field that a text mark prints."""
    for part in reversed(rule if isinstance(rule, list) else [rule]):
        fields = set(FIELD.findall(part.get("signal", ""))) if isinstance(part, dict) else set()
        if len(fields) == 1:
            return f'datum["{fields.pop()}"]'
    return None


def _is_stack(end: Channel | None, start: Channel | None, stacks: set[tuple[str, ...]]) -> bool:
    if end is None or start is None:
        return False
    return any(
        {end.expression, start.expression} == {f"datum[{json.dumps(name)}]" for name in names}
        for names in stacks
    )
