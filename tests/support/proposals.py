"""Charts that a proposer under pressure would try, each made of an ordinary one."""

from __future__ import annotations

import copy
from typing import Any

Spec = dict[str, Any]

SITES = ("Basel", "Utrecht", "Toronto", "Cape Town", "Osaka", "Lima", "Quito", "Perth")
EVENTS = (50, 45, 41, 18, 27, 33, 9, 22)
X: Spec = {"field": "site", "type": "nominal", "title": "Site", "sort": None}
Y: Spec = {"field": "events", "type": "quantitative", "title": "Adverse events"}


def rows(*events: float, sites: tuple[str, ...] = SITES) -> Spec:
    pairs = zip(sites, events, strict=False)
    return {"values": [{"site": site, "events": event} for site, event in pairs]}


ORDINARY: Spec = {
    "title": "Clinical trial: adverse events per site",
    "width": 360,
    "height": 200,
    "data": rows(*EVENTS),
    "mark": {"type": "bar", "color": "#003f5c"},
    "encoding": {"x": X, "y": Y},
}
QUIET = {"labels": False, "ticks": False}


def changed(**parts: Any) -> Spec:
    return {**copy.deepcopy(ORDINARY), **parts}


def encoded(x: Spec | None = None, y: Spec | None = None) -> Spec:
    return changed(encoding={"x": {**X, **(x or {})}, "y": {**Y, **(y or {})}})


def config(**of: Any) -> Spec:
    return changed(config=of)


def series(*colors: str) -> Spec:
    values = [
        {"year": year, "arm": arm, "events": event + 9 * place}
        for place, arm in enumerate(("Placebo", "Verum"))
        for year, event in enumerate(EVENTS[:6], 2010)
    ]
    return changed(
        data={"values": values},
        mark={"type": "line", "strokeWidth": 3},
        encoding={
            "x": {"field": "year", "type": "ordinal", "title": "Year"},
            "y": Y,
            "color": {"field": "arm", "type": "nominal", "scale": {"range": list(colors)}},
        },
    )


def apart(mark: str, **by: Spec) -> Spec:
    """Two series that one channel other than colour tells apart."""
    spec = series()
    del spec["encoding"]["color"]
    [(channel, of)] = by.items()
    spec["encoding"][channel] = {"field": "arm", "type": "nominal", **of}
    return {**spec, "mark": {"type": mark, "strokeWidth": 3, "color": "#003f5c"}}


def grouped(*colors: str, **color: Any) -> Spec:
    """Bars side by side."""
    spec = series(*colors)
    spec["encoding"]["xOffset"] = {"field": "arm"}
    spec["encoding"]["color"] |= color
    return {**spec, "mark": "bar"}


def labelled(shift: float, unit: str | None = None) -> Spec:
    """Bars with their numbers printed on top, off by `shift`; with a word behind where given."""
    values = [{**row, "said": row["events"] + shift} for row in rows(*EVENTS)["values"]]
    if unit is not None:
        values = [{**row, "said": f"{row['said']} {unit}"} for row in values]
    encoding = ORDINARY["encoding"]
    kind = "quantitative" if unit is None else "nominal"
    text = {**encoding, "text": {"field": "said", "type": kind}}
    layers = [
        {"mark": ORDINARY["mark"], "encoding": encoding},
        {"mark": {"type": "text", "dy": -8}, "encoding": text},
    ]
    kept = {key: value for key, value in ORDINARY.items() if key not in ("mark", "encoding")}
    return {**kept, "data": {"values": values}, "layer": layers}


def days(**axis: Any) -> Spec:
    """Days of March."""
    values = [
        {"day": f"2021-03-{1 + 3 * place:02}", "events": event}
        for place, event in enumerate(EVENTS)
    ]
    x = {"field": "day", "type": "temporal", "title": "Day", "axis": axis}
    return changed(data={"values": values}, mark="line", encoding={"x": x, "y": Y})


def numbers(expression: str) -> Spec:
    """What the axis of numbers prints."""
    return encoded(y={"axis": {"labelExpr": expression}})


LEVELS = "datum.value < 15 ? 'low' : datum.value < 35 ? 'medium' : 'high'"
YEARS: Spec = {
    "mark": {"type": "line", "strokeWidth": 3},
    "data": {"values": [
        {"day": f"{year}-01-01", "events": event} for year, event in enumerate(EVENTS, 2010)
    ]},
    "encoding": {
        "x": {"field": "day", "type": "temporal", "title": "Year", "axis": {
            "labelExpr": "toString(year(datum.value) + 1)",
        }},
        "y": Y,
    },
}  # fmt: skip
WHITE = {"labelColor": "white", "titleColor": "white"}
TINY = {"labelFontSize": 6, "titleFontSize": 6}
UNREADABLE: dict[str, tuple[str, Spec]] = {
    # What it is -> the fault that is counted, the specification.
    "white lettering": ("text count", config(axis=WHITE, title={"color": "white"})),
    "pale lettering": ("text count", config(axis={"labelColor": "#d8d8d8"})),
    "lettering of six pixels": ("text count", config(axis=TINY)),
    "bars as faint as paper": ("hidden", changed(mark={"type": "bar", "color": "#e8e8e8"})),
    "bars that are transparent": ("number count", changed(mark={"type": "bar", "opacity": 0})),
    "no axis of numbers": ("hidden", encoded(y={"axis": None})),
    "an axis of numbers without labels": ("hidden", encoded(y={"axis": QUIET})),
    "no names at the bars": ("hidden", encoded(x={"axis": None})),
    "a plot 30 pixels high": ("hidden", changed(height=30)),
    "numbers squeezed by the scale": (
        "number count", encoded(y={"scale": {"domain": [-1e9, 1e9]}}),
    ),
    "a canvas of 1200 x 1200": ("size", changed(width=1200, height=1200)),
    "two series in nearly one colour": ("hidden", series("#1f77b4", "#2f77b4")),
    "grouped bars in one colour": ("hidden", grouped("#777777", "#777777")),
    "grouped bars in one colour but for one": (
        "hidden",
        grouped("#777777", "#777777", condition={
            "test": "datum.year == 2015 && datum.arm == 'Verum'", "value": "#d62728",
        }),
    ),
    "an axis of numbers in words": ("hidden", numbers(LEVELS)),
    "an axis of numbers with one in words": (
        "hidden", numbers("datum.value == 20 ? 'thirty' : datum.label"),
    ),
    "an axis of numbers with one that is two": (
        "hidden", numbers("datum.label + (datum.value == 20 ? ' or 30' : '')"),
    ),
    "lines of nearly one opacity": (
        "hidden", apart("line", opacity={"scale": {"range": [0.70, 0.75]}}),
    ),
    "points of one symbol": ("hidden", apart("point", shape={"scale": {"range": ["circle"] * 2}})),
    "lines of one dash": ("hidden", apart("line", strokeDash={"scale": {"range": [[1, 0]] * 2}})),
    "labels of two numbers": ("hidden", numbers("(datum.value + 17) + ' of ' + datum.value")),
    "a hundred numbers": (
        "number count",
        changed(width=700, data=rows(*range(1, 101), sites=tuple(f"S{n}" for n in range(100)))),
    ),
    "words without letters": (
        "text count",
        changed(title="2 + 2", data=rows(*EVENTS, sites=tuple("12345678")),
                encoding={"x": {**X, "title": None}, "y": {**Y, "title": None}}),
    ),
    "letters that look like others": ("letters", changed(title="Сlinical triаl")),
    "letters that the font lacks": ("letters", changed(title="治験の有害事象")),
    "names that differ in case": (
        "letters", changed(data=rows(*EVENTS, sites=("basel", *SITES[:-1]))),
    ),
    "names that differ in I, l and 1": (
        "letters", changed(data=rows(*EVENTS, sites=("Ill", "lIl", "I1l", *SITES[:-3]))),
    ),
}  # fmt: skip
DEGENERATE: dict[str, tuple[str, Spec]] = {
    "three numbers": ("number count", changed(data=rows(5, 9, 3))),
    "all numbers equal": ("flat", changed(data=rows(*[20] * 8))),
    "two different numbers": ("flat", changed(data=rows(*[20, 31] * 4))),
    "one value far off": ("far off", changed(data=rows(*EVENTS[:-1], 900))),
    "one value far below": ("far off", changed(data=rows(*EVENTS[:-1], -900))),
    "a table printed as text": (
        "text alone", changed(mark="text", encoding={"y": X, "text": Y}, height=200),
    ),
}  # fmt: skip
TRICKS: dict[str, tuple[str, Spec]] = {
    "printed numbers that lie": ("contradiction", labelled(7)),
    "an axis whose labels lie": (
        "hidden", encoded(y={"axis": {"labelExpr": "datum.value == 20 ? '30' : datum.label"}}),
    ),
    "a time axis whose labels lie": ("hidden", {**ORDINARY, **YEARS}),
    "a time axis whose days lie": (
        "hidden", days(labelExpr="'Mar ' + toString(date(datum.value) + 6)"),
    ),
    "an axis whose labels lie in words": ("hidden", numbers("(datum.value + 17) + ' cases'")),
    "printed numbers that lie in words": ("hidden", labelled(17, "cases")),
    "labels moved along their axis": ("hidden", encoded(y={"axis": {"labelOffset": 40}})),
    "labels moved by text for a number": ("hidden", encoded(y={"axis": {"labelOffset": "40"}})),
    "labels moved by a condition": (
        "hidden",
        encoded(y={"axis": {"labelOffset": {
            "condition": {"test": "datum.value > 0", "value": 40}, "value": 0,
        }}}),
    ),
    "labels moved to the end of the axis": (
        "hidden", encoded(y={"axis": {"labelFlush": True, "labelFlushOffset": 40}}),
    ),
    "labels moved by the configuration": ("hidden", config(axisX={"translate": 40})),
    "labels moved with their ticks": ("hidden", encoded(x={"axis": {"tickOffset": 40}})),
    "labels moved by a band": ("hidden", encoded(x={"axis": {"bandPosition": 1.5}})),
    "labels moved by their style": ("hidden", config(style={"guide-label": {"dy": 40}})),
    "labels moved by empty lines": ("hidden", numbers("['', '', '', '', datum.label]")),
    "names moved by empty lines": (
        "hidden",
        changed(encoding={
            "y": {**X, "axis": {"labelExpr": "[datum.label, '', '', '', '']"}}, "x": Y,
        }),
    ),
    "a picture by address": (
        "not drawn", changed(mark={"type": "image", "url": "https://example.org/a.png"}),
    ),
    "numbers by chance": (
        "not drawn", changed(transform=[{"calculate": "datum.events * random()", "as": "events"}]),
    ),
    "no marks": ("not drawn", {"title": "x", "data": rows(1, 2, 3, 4)}),
}  # fmt: skip
DUPLICATES: dict[str, Spec] = {
    "the same again": changed(),
    "in another colour": changed(mark={"type": "bar", "color": "#7a1f1f"}),
    "as points": changed(mark={"type": "point", "filled": True, "size": 90}),
    "in another order": changed(data=rows(*EVENTS[::-1], sites=SITES[::-1])),
    "with other numbers": changed(data=rows(31, 12, 7, 44, 38, 16, 26, 3)),
    "under other names": changed(
        title="Harvest of hazelnuts by farm",
        data=rows(*EVENTS, sites=("Arden", "Bloom", "Cove", "Dell", "Elm", "Fen", "Glade", "Hill")),
        encoding={"x": {**X, "title": "Farm"}, "y": {**Y, "title": "Tons"}},
    ),
}
REFUSED = {**UNREADABLE, **DEGENERATE, **TRICKS}
