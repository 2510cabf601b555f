"""The table as drawn, the visible text, the marks: what a chart shows and what it only pretends."""

from __future__ import annotations

from typing import Any

import pytest
from inward_rewards.charts.reading.printed import prints
from inward_rewards.charts.reading.scene import Row, Scene
from inward_rewards.charts.renderer import Renderer
from rewards.charts.hostile import ROWS, Spec, X, Y, bar, encoded

NUMBERS = [{"x": i, "y": (i * 7) % 11} for i in range(12)]
QX = {"field": "x", "type": "quantitative"}
QY = {"field": "y", "type": "quantitative"}
PAIRS = [{"c": c, "s": s, "v": v} for c, s, v in (("A", "u", 3), ("A", "w", 2), ("B", "u", 5))]
ABC: set[tuple[tuple[Any, ...], float]] = {(("A",), 3), (("B",), 5), (("C",), 4)}
POINTS = {((float(r["x"]),), float(r["y"])) for r in NUMBERS}


def view(mark: Any, rows: list[dict[str, Any]], **encoding: Any) -> Spec:
    return {"data": {"values": rows}, "mark": mark, "encoding": encoding}


def nominal(field: str) -> Spec:
    return {"field": field, "type": "nominal"}


def amount(field: str, **more: Any) -> Spec:
    return {"field": field, "type": "quantitative", **more}


KINDS: dict[str, tuple[Spec, set[Any], str]] = {
    "bars": (bar(), ABC, "bar"),
    "horizontal bars": (bar(encoding={"y": X, "x": Y}), ABC, "bar"),
    "grouped bars": (
        view("bar", PAIRS, x=nominal("c"), xOffset=nominal("s"), y=amount("v"), color=nominal("s")),
        {(("A", "u"), 3), (("A", "w"), 2), (("B", "u"), 5)},
        "bar",
    ),
    "stacked bars": (
        view("bar", PAIRS, x=nominal("c"), y=amount("v"), color=nominal("s")),
        {(("A", "u"), 3), (("A", "w"), 2), (("B", "u"), 5)},
        "bar",
    ),
    "shares": (
        view("bar", PAIRS, x=nominal("c"), y=amount("v", stack="normalize"), color=nominal("s")),
        {(("A", "u"), 0.6), (("A", "w"), 0.4), (("B", "u"), 1)},
        "bar",
    ),
    "negative bars": (
        view("bar", [{"a": "A", "b": -3}, {"a": "B", "b": 2}], x=X, y=Y),
        {(("A",), -3), (("B",), 2)},
        "bar",
    ),
    "line": (view("line", NUMBERS, x=QX, y=QY), POINTS, "line"),
    "points": (view("point", NUMBERS, x=QX, y=QY), POINTS, "point"),
    "area": (view("area", NUMBERS, x=QX, y=QY), POINTS, "area"),
    "steps": (view({"type": "line", "interpolate": "step"}, NUMBERS, x=QX, y=QY), POINTS, "line"),
    "dates": (
        view(
            "line",
            [{"d": "2024-02-01", "b": 1}, {"d": "2024-03-01", "b": 3}],
            x={"field": "d", "type": "temporal"},
            y=Y,
        ),
        {(("Feb",), 1), (("Mar",), 3)},
        "line",
    ),
    "arc": (
        view("arc", ROWS, theta=Y, color=X),
        {(("A",), 0.25), (("B",), round(5 / 12, 9)), (("C",), round(1 / 3, 9))},
        "arc",
    ),
    "heat map": (
        view("rect", PAIRS, x=nominal("c"), y=nominal("s"), color=amount("v")),
        {(("A", "u"), 3), (("A", "w"), 2), (("B", "u"), 5)},
        "rect",
    ),
    "histogram": (
        view(
            "bar",
            [{"v": v} for v in (1, 2, 3, 11, 12, 25)],
            x=amount("v", bin={"step": 10}),
            y={"aggregate": "count"},
        ),
        {((5.0,), 3), ((15.0,), 2), ((25.0,), 1)},
        "bar",
    ),
    "box plot": (
        view("boxplot", [{"a": "A", "b": b} for b in (1, 2, 3, 4, 5)], x=X, y=Y),
        {(("A",), b) for b in (1, 2, 3, 4, 5)},
        "bar",
    ),
    "error bars": (
        view(
            "errorbar",
            [{"a": "A", "lo": 2, "hi": 5}],
            x=X,
            y=amount("lo"),
            y2={"field": "hi"},
        ),
        {(("A",), 2), (("A",), 5)},
        "rule",
    ),
    "spans": (
        view("bar", [{"a": "A", "lo": 2, "hi": 5}], y=X, x=amount("lo"), x2={"field": "hi"}),
        {(("A",), 2), (("A",), 5)},
        "bar",
    ),
    "bubbles": (
        view(
            "point",
            [{"x": 1, "y": 2, "z": 30}, {"x": 3, "y": 5, "z": 90}],
            x=QX,
            y=QY,
            size=amount("z"),
        ),
        {((1.0,), 2), ((3.0,), 5), ((1.0, 2.0), 30), ((3.0, 5.0), 90)},
        "point",
    ),
    "facets": (
        view("bar", PAIRS, x=nominal("c"), y=amount("v"), column=nominal("s")),
        {(("A", "u"), 3), (("A", "w"), 2), (("B", "u"), 5)},
        "bar",
    ),
    "printed values": (
        {"layer": [bar(), bar(mark="text", encoding={"x": X, "y": Y, "text": Y})]},
        ABC,
        "text",
    ),
    "line with points": (
        view({"type": "line", "point": True}, NUMBERS, x=QX, y=QY),
        POINTS,
        "point",
    ),
    "reference line": (
        {"layer": [bar(), view("rule", [{}], y={"datum": 2})]},
        ABC | {((), 2)},
        "rule",
    ),
    "two axes": (
        {
            "data": {"values": [{"a": "A", "b": 3, "c": 900}, {"a": "B", "b": 5, "c": 700}]},
            "layer": [
                {"mark": "bar", "encoding": {"y": Y}},
                {"mark": {"type": "line", "color": "black"}, "encoding": {"y": amount("c")}},
            ],
            "encoding": {"x": X},
            "resolve": {"scale": {"y": "independent"}},
        },
        {(("A",), 3), (("B",), 5), (("A",), 900), (("B",), 700)},
        "line",
    ),
    "missing values": (
        bar(data={"values": [*ROWS, {"a": "D", "b": None}]}),
        ABC,
        "bar",
    ),
    "sum of rows": (
        bar(
            data={"values": [*ROWS, {"a": "A", "b": 5}]},
            encoding={"x": X, "y": {**Y, "aggregate": "mean"}},
        ),
        {(("A",), 4), (("B",), 5), (("C",), 4)},
        "bar",
    ),
}


def found(scene: Scene) -> set[tuple[tuple[Any, ...], float]]:
    return {(row.keys, row.value) for row in scene.rows}


@pytest.mark.parametrize("name", KINDS)
def test_table_as_drawn(renderer: Renderer, name: str) -> None:
    spec, rows, mark = KINDS[name]
    scene = renderer.render_sync(spec).scene
    assert {(row.keys, round(row.value, 9)) for row in scene.rows} == rows
    assert mark in scene.marks


@pytest.mark.parametrize("values", [(29.27, 26.42, 22.73, 21.55), (0.1, 0.2, 0.3, 0.7)])
def test_a_printed_share_of_a_circle_is_no_second_row(
    renderer: Renderer, values: tuple[float, ...]
) -> None:
    rows = [{"c": name, "v": value} for name, value in zip("ABCD", values, strict=True)]
    slices = {"theta": amount("v", stack=True), "color": nominal("c")}
    labels = {"type": "text", "radius": 90}
    spec = {
        "data": {"values": rows},
        "layer": [
            {"mark": {"type": "arc", "outerRadius": 80}, "encoding": slices},
            {"mark": labels, "encoding": {**slices, "text": amount("v")}},
        ],
    }
    scene = renderer.render_sync(spec).scene
    shares = {(row.keys[0], round(row.value, 9)) for row in scene.rows}
    assert shares == {(r["c"], round(r["v"] / sum(values), 9)) for r in rows}


def test_texts_and_encodings(renderer: Renderer) -> None:
    scene = renderer.render_sync(
        view("bar", PAIRS, x=nominal("c"), y=amount("v", title="Yield (t)"), color=nominal("s"))
        | {"title": {"text": ["Harvest", "by farm"], "subtitle": "2024"}}
    ).scene
    assert {"A", "B", "u", "w", "c", "s", "Yield (t)", "Harvest by farm", "2024"} <= set(
        scene.texts
    )
    assert scene.encodings == ("color:discrete", "x:discrete", "y:quantitative")


def washes(count: int, opacity: float) -> list[Spec]:
    cover = {"type": "rect", "x": 30, "y": 150, "width": 200, "height": 400}
    mark = {**cover, "color": "white", "opacity": opacity}
    return [{"data": {"values": [{}]}, "mark": mark} for _ in range(count)]


def printed(text: str, **mark: Any) -> Spec:
    shown = {"type": "text", "text": text, "fontSize": 14, **mark}
    return {"data": {"values": [{}]}, "mark": shown}


def wide(**mark: Any) -> Spec:
    return {"data": {"values": [{}]}, "mark": {"type": "rect", **mark}}


HIDDEN_ROWS: dict[str, tuple[Spec, set[Any]]] = {
    "no opacity": (bar(mark={"type": "bar", "opacity": 0}), set()),
    "opacity of one percent": (bar(mark={"type": "bar", "opacity": 0.01}), set()),
    "transparent by alpha": (bar(mark={"type": "bar", "color": "#00000000"}), set()),
    "transparent by rgba": (bar(mark={"type": "bar", "color": "rgba(9, 9, 9, 0.02)"}), set()),
    "white on white": (bar(mark={"type": "bar", "color": "white"}), set()),
    "nearly white": (bar(mark={"type": "bar", "color": "#f6f6f6"}), set()),
    "in the view's colour": (
        bar(mark={"type": "bar", "color": "#abcdef"}, config={"view": {"fill": "#abcdef"}}),
        set(),
    ),
    "one pixel": (view({"type": "point", "filled": True, "size": 1}, NUMBERS, x=QX, y=QY), set()),
    "no size": (view({"type": "point", "size": 0}, NUMBERS, x=QX, y=QY), set()),
    "off the canvas": (
        bar(encoding={"x": X, "y": {**Y, "scale": {"domain": [900, 999]}}}, autosize="none"),
        set(),
    ),
    "clipped bars": (
        bar(
            mark={"type": "bar", "clip": True},
            encoding={"x": X, "y": {**Y, "scale": {"domain": [0, 3.5]}}},
        ),
        {(("A",), 3)},
    ),
    "flattened by the scale": (
        view("line", NUMBERS, x=QX, y={**QY, "scale": {"domain": [-1e9, 1e9]}}),
        set(),
    ),
    "flattened by the range": (
        view("point", NUMBERS, x=QX, y={**QY, "scale": {"range": [100, 103]}}),
        set(),
    ),
    "in a thumbnail": (bar(width=20, height=20, config={"axis": {"labels": False}}), set()),
    "in a shade": (
        bar(encoding={"x": X, "color": {**Y, "scale": {"range": ["#4c78a8", "#4c78a9"]}}}),
        set(),
    ),
    "in a diameter": (
        bar(mark="point", encoding={"x": X, "size": {**Y, "scale": {"range": [100, 101]}}}),
        set(),
    ),
    "in an opacity": (
        bar(mark="point", encoding={"x": X, "opacity": {**Y, "scale": {"range": [0.5, 1]}}}),
        set(),
    ),
    "under a cover": (
        {"layer": [bar(), wide(x=30, y=150, width=200, height=400, color="#4c78a8")]},
        set(),
    ),
    "on a cover of its colour": (
        {"layer": [wide(x=30, y=150, width=200, height=400, color="#4c78a8"), bar()]},
        set(),
    ),
    "washed out": ({"layer": [bar(), *washes(5, 0.6)]}, set()),
    "under another picture": (
        {
            "layer": [
                bar(),
                view("bar", [{"p": p, "q": 9} for p in "ABC"], x=nominal("p"), y=amount("q")),
            ]
        },
        {(("A",), 9), (("B",), 9), (("C",), 9)},
    ),
    "names not printed": (
        bar(encoding={"x": {**X, "axis": None}, "y": Y}),
        {(("",), 3), (("",), 5), (("",), 4)},
    ),
    "series not printed": (
        view("bar", PAIRS, x=nominal("c"), y=amount("v"), color={**nominal("s"), "legend": None}),
        {(("A",), 3), (("A",), 2), (("B",), 5)},
    ),
    "twice the same": ({"layer": [bar(), bar(), bar(mark="point")]}, ABC),
    "one name of three printed": (
        bar(encoding={"x": {**X, "axis": {"values": ["A"]}}, "y": Y}),
        {(("A",), 3), (("",), 5), (("",), 4)},
    ),
    "text without the number": (
        bar(
            mark="text",
            encoding={
                "y": X,
                "text": {"condition": {"test": "false", "field": "b"}, "value": "no more"},
            },
        ),
        set(),
    ),
    "text that was cut": (
        bar(mark={"type": "text", "limit": 3, "ellipsis": "•"}, encoding={"y": X, "text": Y}),
        set(),
    ),
    "a number rounded away": (
        bar(mark="text", encoding={"y": X, "text": {**Y, "format": ".0e"}}),
        ABC,
    ),
    "two classes of colour": (
        bar(
            mark="rect",
            encoding={
                "x": X,
                "color": {
                    **Y,
                    "scale": {"type": "threshold", "domain": [4], "range": ["navy", "gold"]},
                },
            },
        ),
        set(),
    ),
    "zero on a logarithm": (
        bar(
            data={"values": [*ROWS, {"a": "A", "b": 0}]},
            mark="point",
            encoding={"x": X, "y": {**Y, "scale": {"type": "log"}}},
        ),
        set(),
    ),
    "moved by a constant": (
        view({"type": "point", "yOffset": 60}, NUMBERS, x=QX, y=QY),
        set(),
    ),
}


@pytest.mark.parametrize("name", HIDDEN_ROWS)
def test_hidden_numbers_do_not_count(renderer: Renderer, name: str) -> None:
    spec, rows = HIDDEN_ROWS[name]
    assert found(renderer.render_sync(spec).scene) == rows


SEEN_ROWS: dict[str, Spec] = {
    "outlined only": bar(mark={"type": "bar", "color": "white", "stroke": "black"}),
    "pale": bar(mark={"type": "bar", "color": "#dddddd"}),
    "half transparent": bar(mark={"type": "bar", "opacity": 0.4}),
    "washed once": {"layer": [bar(), *washes(1, 0.5)]},
    "on dark": bar(mark={"type": "bar", "color": "white"}, background="#222222"),
    "white on blue": {
        "layer": [
            wide(x=30, y=150, width=60, height=300, color="#4c78a8"),
            bar(mark={"type": "bar", "color": "white"}),
        ]
    },
    "touching": encoded(x={**X, "scale": {"padding": 0}}),
    "a table of text": bar(mark="text", encoding={"y": X, "text": Y}),
    "text as percent": bar(mark="text", encoding={"y": X, "text": {**Y, "format": ".0%"}}),
    "text as money": bar(mark="text", encoding={"y": X, "text": {**Y, "format": "$,.2f"}}),
    "no page": bar(background=None),
    "a transparent page": bar(background="transparent"),
    "under the grid, counted backwards": encoded(y={**Y, "axis": {"zindex": -1}}),
}


@pytest.mark.parametrize("name", SEEN_ROWS)
def test_visible_numbers_count(renderer: Renderer, name: str) -> None:
    assert found(renderer.render_sync(SEEN_ROWS[name]).scene) == ABC


def test_glass_does_not_hide_glass(renderer: Renderer) -> None:
    rows = [
        {"x": i, "s": s, "y": (i * k) % 7 + 1} for i in range(6) for k, s in ((2, "u"), (3, "v"))
    ]
    spec = view(
        {"type": "area", "opacity": 0.5}, rows, x=QX, y={**QY, "stack": None}, color=nominal("s")
    )
    assert len(renderer.render_sync(spec).scene.rows) == len(rows)


SECRET = "secret words"
HIDDEN_TEXTS: dict[str, Spec] = {
    "white": bar(title={"text": SECRET, "color": "white"}),
    "nearly white": bar(title={"text": SECRET, "color": "#f2f2f2"}),
    "transparent": bar(title={"text": SECRET, "color": "transparent"}),
    "tiny": bar(title={"text": SECRET, "fontSize": 3}),
    "off the canvas": bar(title={"text": SECRET, "offset": 900}, autosize="none", width=200),
    "under a cover": {
        "layer": [bar(), printed(SECRET, x=30, y=20), wide(x=30, y=20, width=200, height=60)]
    },
    "on a cover of its colour": {
        "layer": [
            bar(),
            wide(x=30, y=20, width=200, height=60, color="navy"),
            printed(SECRET, x=30, y=20, color="navy"),
        ]
    },
    "in lines on each other": bar(title={"text": ["other", SECRET], "lineHeight": 0}),
    "printed over": {
        "layer": [
            bar(),
            *(printed(text, x=30, y=-30) for text in (SECRET, "other names", "third title")),
        ]
    },
}


@pytest.mark.parametrize("name", HIDDEN_TEXTS)
def test_hidden_text_does_not_count(renderer: Renderer, name: str) -> None:
    texts = renderer.render_sync(HIDDEN_TEXTS[name]).scene.texts
    assert not any(SECRET in text for text in texts)


@pytest.mark.parametrize("color", ["black", "#999999", "crimson", "#ffffff"])
@pytest.mark.parametrize("size", [9, 14, 30])
def test_visible_text_counts(renderer: Renderer, color: str, size: int) -> None:
    page = "#333333" if color == "#ffffff" else "#ffffff"
    spec = bar(title={"text": SECRET, "color": color, "fontSize": size}, background=page)
    assert SECRET in renderer.render_sync(spec).scene.texts


def test_cut_labels_are_read_as_cut(renderer: Renderer) -> None:
    rows = [{"a": "a very long category name", "b": 3}, {"a": "another long category", "b": 5}]
    axis = {"labelLimit": 60}
    scene = renderer.render_sync(
        bar(data={"values": rows}, encoding={"y": {**X, "axis": axis}, "x": Y})
    ).scene
    assert any(text.endswith("…") for text in scene.texts)
    assert {row.keys for row in scene.rows} == {(row["a"],) for row in rows}


@pytest.mark.parametrize(
    ("name", "date"),
    [
        *[("Mar 2024", "2024-03-01"), ("March 2024", "2024-03-01"), ("2024-03", "2024-03-01")],
        *[("Mar 5, 2024", "2024-03-05"), ("5 Mar. 2024", "2024-03-05"), ("Mars 24", "Mars 24")],
        *[("2024", "2024"), ("Market 2024", "Market 2024"), ("12-2024", "2024-12-01")],
    ],
)
def test_a_date_written_as_a_name_is_the_date(renderer: Renderer, name: str, date: str) -> None:
    rows = [{"a": name, "b": 3}, {"a": "Z", "b": 5}]
    scene = renderer.render_sync(bar(data={"values": rows})).scene
    assert found(scene) == {((date,), 3), (("Z",), 5)}


def test_what_is_left_of_a_cut_name_must_tell_it_from_the_others(renderer: Renderer) -> None:
    rows = [{"a": "a very long category name", "b": 3}, {"a": "a very long name", "b": 5}]
    y = {**X, "axis": {"labelLimit": 60}}
    scene = renderer.render_sync(bar(data={"values": rows}, encoding={"y": y, "x": Y})).scene
    assert {row.keys for row in scene.rows} == {("",)}


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        *[("12", 12.3, True), ("13", 12.3, False), ("12.30", 12.3, True), ("1.2e+1", 12.3, True)],
        *[("1,234", 1234.4, True), ("$1.2k", 1234.0, True), ("−5", -5.0, True)],
        *[("5", -5.0, False), ("45%", 0.45, True), ("45%", 45.0, True), ("500m", 0.5, True)],
        *[("3.5M", 3.46e6, True), ("20", 18.0, False), ("0", 0.3, False), ("0", 0.0, True)],
        *[("", 0.0, False), ("•", 3.0, False), ("3 of 4", 3.0, False), ("Jan 5", 5.0, True)],
        *[("1e999", 3.0, False), ("." * 200, 3.0, False), ("9" * 200, 3.0, False)],
    ],
)
def test_a_printed_number(text: str, value: float, expected: bool) -> None:
    assert prints(text, value) is expected


def test_scene_survives_json(renderer: Renderer) -> None:
    scene = renderer.render_sync(KINDS["bubbles"][0]).scene
    assert Scene.from_json(scene.to_json()) == scene
    assert isinstance(scene.rows[0], Row)
