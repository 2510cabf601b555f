"""The linter lets every ordinary chart through, and holds each limit at its exact place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inward_rewards.charts import RenderError
from inward_rewards.charts.specification import limits, lint, parse
from rewards.charts.hostile import bar, calculated, encoded

ORDINARY: dict[str, dict[str, Any]] = {
    "layers": {"layer": [bar(), bar(mark={"type": "rule", "strokeDash": [4, 2]})]},
    "concatenation": {"hconcat": [bar(), {"vconcat": [bar(), bar()]}], "spacing": 10},
    "facet": bar(encoding={"row": {"field": "a"}, "y": {"field": "b", "type": "quantitative"}}),
    "bin": encoded(x={"field": "b", "bin": {"maxbins": 20}}),
    "bin step": encoded(x={"field": "b", "bin": {"step": 0.5}}),
    "fold and pivot": bar(transform=[{"fold": ["a", "b"]}, {"pivot": "key", "value": "value"}]),
    "filter": bar(transform=[{"filter": {"field": "b", "gt": 1e9}}, {"filter": "datum.b > 3"}]),
    "calculate": calculated("round(datum['b'] / 2) + (datum.b > 1 ? 'x' : 'y')"),
    "division": calculated("(datum.b + 1) / datum.b / 2"),
    "big values": bar(data={"values": [{"a": "x", "b": 1.4e12}]}),
    "scale": encoded(y={"field": "b", "type": "quantitative", "scale": {"domain": [0, 9e12]}}),
    "condition": encoded(color={"condition": {"test": "datum.b > 1", "value": "red"}}),
    "formats": encoded(x={"field": "a", "axis": {"format": "%b %Y", "tickCount": "month"}}),
    "bare values": bar(data={"values": [1, 2, 3]}),
    "null and true": bar(data={"values": [{"a": None, "b": True}]}),
    "datasets": {"datasets": {"d": [{"a": 1}]}, **bar(data={"name": "d"})},
    "boxplot": bar(mark={"type": "boxplot", "extent": "min-max"}),
    "years": encoded(x={"field": "a", "axis": {"values": [{"year": 2016}, {"year": 2018}]}}),
    "a wider domain": encoded(y={"field": "b", "scale": {"domain": {"unionWith": [0, 5000]}}}),
    "a printed number": encoded(text={"value": 25_000}),
    "resolved": {"layer": [bar(), bar()], "resolve": {"scale": {"y": "independent"}}},
    "parsed": bar(data={"values": [{"size": "1"}], "format": {"parse": {"size": "number"}}}),
    "fitted": bar(autosize="none"),
    "stacked": bar(transform=[{"stack": "b", "groupby": [], "offset": "center", "as": ["l", "h"]}]),
    "URL in a title": bar(title="Source: https://example.org/data?id=1"),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_charts_pass(name: str) -> None:
    assert lint(ORDINARY[name])


def test_drops_what_has_no_effect() -> None:
    spec = bar(**{"$schema": "x", "usermeta": {"a": 1}, "description": "d"})
    spec["config"] = {"font": "Comic Sans", "axis": {"labelFont": "x", "labelFontSize": 12}}
    spec["mark"] = {"type": "bar", "tooltip": True}
    clean = lint(spec)
    assert clean["config"] == {"axis": {"labelFontSize": 12}}
    assert clean["mark"] == {"type": "bar"}
    assert set(clean) == {"data", "mark", "encoding", "config"}


BRUSH = {"name": "brush", "select": "interval"}
HOVER = {"condition": {"param": "brush", "value": "red"}, "value": "grey"}
UNHELD = {"condition": {"param": "brush", "empty": False, "value": "red"}, "value": "grey"}
STILL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "interactive()": (bar(params=[{**BRUSH, "bind": "scales"}]), bar()),
    "a selection": (bar(params=[BRUSH]), bar()),
    "a selection of version 4": (bar(selection={"brush": {"type": "interval"}}), bar()),
    "selected, as all is": (
        bar(params=[BRUSH], encoding={"x": {"field": "a"}, "color": HOVER}),
        bar(encoding={"x": {"field": "a"}, "color": {"value": "red"}}),
    ),
    "not selected, as nothing is": (
        bar(params=[BRUSH], encoding={"x": {"field": "a"}, "color": UNHELD}),
        bar(encoding={"x": {"field": "a"}, "color": {"value": "grey"}}),
    ),
    "a filter of a selection": (
        bar(params=[BRUSH], transform=[{"filter": {"param": "brush"}}]),
        bar(transform=[]),
    ),
    "a domain of a selection": (
        bar(params=[BRUSH], encoding={"x": {"scale": {"domain": {"param": "brush"}}}}),
        bar(encoding={"x": {"scale": {}}}),
    ),
    "a slider": (
        bar(
            params=[{"name": "least", "value": 4, "bind": {"input": "range"}}],
            transform=[{"filter": "datum.b > least && datum.a != 'least'"}],
            mark={"type": "bar", "cornerRadius": {"expr": "least"}},
        ),
        bar(
            transform=[{"filter": "datum.b > 4 && datum.a != 'least'"}],
            mark={"type": "bar", "cornerRadius": 4},
        ),
    ),
    "a box that is not ticked": (
        bar(
            params=[{"name": "brush", "bind": {"input": "checkbox"}}],
            encoding={"x": {"field": "a"}, "color": HOVER},
        ),
        bar(encoding={"x": {"field": "a"}, "color": {"value": "grey"}}),
    ),
    "as wide as its page": (bar(width="container"), bar()),
    "a cursor": (bar(mark={"type": "bar", "cursor": "pointer"}), bar(mark={"type": "bar"})),
    "a whole line": (
        bar(mark={"type": "rule", "strokeDash": [1, 0]}),
        bar(mark={"type": "rule", "strokeDash": []}),
    ),
    "a number in quotes": (
        bar(mark={"type": "bar", "size": "12"}, width="300"),
        bar(mark={"type": "bar", "size": 12.0}, width=300.0),
    ),
    "a title of two lines": (
        bar(title={"text": "One\ntwo", "subtitle": "a\nb"}),
        bar(title={"text": ["One", "two"], "subtitle": ["a", "b"]}),
    ),
    "an axis title of two lines": (
        bar(encoding={"x": {"field": "a", "title": "One\ntwo"}}),
        bar(encoding={"x": {"field": "a", "title": ["One", "two"]}}),
    ),
    "a field of two lines": (
        bar(data={"values": [{"a\nb": "c\nd"}]}), bar(data={"values": [{"a\nb": "c\nd"}]})
    ),
    "repeated": (
        {"repeat": ["a", "b"], "spec": bar(encoding={"x": {"field": {"repeat": "repeat"}}})},
        {
            "concat": [
                bar(encoding={"x": {"field": "a"}}), bar(encoding={"x": {"field": "b"}})
            ]
        },
    ),
    "repeated in layers": (
        {
            "repeat": {"layer": ["a", "b"]},
            "spec": bar(encoding={"x": {"field": {"repeat": "layer"}}}),
        },
        {"layer": [bar(encoding={"x": {"field": "a"}}), bar(encoding={"x": {"field": "b"}})]},
    ),
    "repeated in a grid": (
        {
            "repeat": {"row": ["a"], "column": ["a", "b"]},
            "spec": bar(
                encoding={"x": {"field": {"repeat": "column"}}, "y": {"field": {"repeat": "row"}}}
            ),
        },
        {
            "concat": [
                bar(encoding={"x": {"field": "a"}, "y": {"field": "a"}}),
                bar(encoding={"x": {"field": "b"}, "y": {"field": "a"}}),
            ],
            "columns": 2,
        },
    ),
    "bars on a logarithm": (
        bar(encoding={"y": {"field": "b", "scale": {"type": "log"}}}),
        bar(encoding={"y": {"field": "b", "scale": {"type": "log"}, "stack": None}}),
    ),
    "labels by an expression": (
        encoded(x={"axis": {"labelExpr": "datum.value + '%'"}}),
        encoded(x={"axis": {"labelExpr": "datum.value + '%'"}}),
    ),
    "formats by name": (
        encoded(x={"axis": {"formatType": "time", "format": "%b"}}),
        encoded(x={"axis": {"formatType": "time", "format": "%b"}}),
    ),
    "bins between two ends": (
        encoded(x={"field": "b", "bin": {"extent": [0, 10], "step": 1}}),
        encoded(x={"field": "b", "bin": {"extent": [0, 10], "step": 1}}),
    ),
    "a field called as a property is": (
        bar(data={"values": [{"url": "1"}], "format": {"parse": {"url": "number", "key": "date"}}}),
    ) * 2,
    "no words for readers": (bar(config={"aria": False, "bar": {"aria": False}}),
                             bar(config={"bar": {}})),
    "a large symbol": (bar(mark={"type": "circle", "size": 3000}),) * 2,
}  # fmt: skip


@pytest.mark.parametrize("name", STILL)
def test_a_still_picture_needs_less(name: str) -> None:
    written, drawn = STILL[name]
    assert lint(written) == drawn


@pytest.mark.parametrize(
    ("spec", "mend"),
    [
        (bar(params=[{"name": "p", "expr": "1 + 1"}]), "write its value where it is used"),
        (bar(params=[{**BRUSH, "value": {"x": [1, 2]}}]), "write the colours, domains or rows"),
        (bar(mark={"type": "bar", "size": {"expr": "1 + 1"}}), "write the value itself"),
        (bar(transform=[{"loess": "b", "on": "a"}]), "write the rows that it gives"),
        (encoded(y={"field": "b", "aggregate": "ci1"}), "write 'stderr' or 'stdev'"),
        (bar(mark={"type": "errorband", "extent": "ci"}), "write 'stderr' or 'stdev'"),
        (bar(data={"values": "a,b\n1,2"}), "a list of rows, as"),
        (encoded(x={"field": "a.b"}), "rename it"),
        (bar(data={"values": [{"a": {"b": 1}}]}), "a field or a row for each part"),
        (encoded(x={"axis": {"formatType": "mine"}}), "must be 'number' or 'time'"),
        (bar(mark="geoshape", projection={"type": "mercator"}), "maps are not drawn"),
        (bar(mark={"type": "rule", "strokeDash": [0.1]}), "for a whole line"),
        (bar(facet={"field": "a"}, projection={}), "maps are not drawn, show the numbers by other"),
        ({"marks": [], "scales": []}, "write Vega-Lite, with 'mark' and 'encoding'"),
        (bar(x={"field": "a"}), "a view: it holds datasets, data, layer"),
        (encoded(x="a"), r'must be an object, not .a.: write {"field": …'),
        (encoded(time={"field": "a"}), "write one of angle, color, column"),
        (
            encoded(row={"field": "n"}, x={}) | {"data": {"values": [{"n": i} for i in range(20)]}},
            "leave rows of the others out",
        ),
        (calculated("test(datum.a)"), "write the result as a field of the data, or use abs, ceil"),
        (calculated("{'a': 1}[datum.a]"), "write the result as a field of the data"),
        (bar(transform=[{"calculate": "1", "as": "c"}] * 13), "write the rows that they give"),
        (encoded(y={"field": "b", "axis": {"format": "0999d"}}), "fewer than three digits"),
        ({"repeat": ["a"] * 30, "spec": bar()}, "makes 30 views, more than 24"),
        ({"repeat": {}, "spec": None}, "'spec' of a 'repeat' must be an object"),
        (encoded(y={"repeat": {}, "spec": [bar()]}), "'spec' of a 'repeat' must be an object"),
        (
            {"repeat": ["a"] * 5, "spec": {"repeat": ["b"] * 5, "spec": bar()}},
            "makes 25 views, more than 24",
        ),
    ],
)
def test_a_refusal_says_what_to_write_instead(spec: dict[str, Any], mend: str) -> None:
    with pytest.raises(RenderError, match=mend):
        lint(spec)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 3000) | st.floats(allow_nan=False)
    | st.sampled_from(["a", "b", "bar", "brush", "datum.b", "log", "ci", "a\nb", "repeat"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(
            "mark encoding layer hconcat params name select value expr condition param test filter "
            "transform bin step field repeat spec data values x y type scale domain fold "
            "strokeDash sort op extent aggregate title text size facet row selection format "
            "parse".split()
        ), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=400)
@given(st.sampled_from(["encoding", "transform", "params", "mark", "data", "layer", "facet"]), ANY)
def test_whatever_is_written_is_linted_or_refused(key: str, value: Any) -> None:
    for spec in (bar(**{key: value}), {"repeat": value, "spec": bar(**{key: value})}):
        try:
            lint(spec)
        except RenderError:
            continue


def test_leaves_its_argument_alone() -> None:
    spec = bar(config={"font": "x"}, description="d")
    lint(spec)
    assert spec == bar(config={"font": "x"}, description="d")


def nested(levels: int) -> dict[str, Any]:
    spec: dict[str, Any] = bar()
    for _ in range(levels):
        spec = {"layer": [spec]}
    return spec


AT_THE_LIMIT = {
    "rows": lambda n: bar(data={"values": [{"a": 1}] * (limits.MAX_ROWS + n)}),
    "fields": lambda n: bar(data={"values": [{str(i): 1 for i in range(limits.MAX_FIELDS + n)}]}),
    "marks": lambda n: {"layer": [bar(data=None)] * (limits.MAX_MARKS + n)},
    "facets": lambda n: bar(
        data={"values": [{"a": i, "b": 1} for i in range(limits.MAX_FACETS + n)]},
        encoding={"row": {"field": "a"}},
    ),
    "transforms": lambda n: bar(
        transform=[{"calculate": "1", "as": "c"}] * (limits.MAX_TRANSFORMS + n)
    ),
    "string": lambda n: bar(title="x" * (limits.MAX_STRING + n)),
    "list": lambda n: encoded(x={"sort": ["a"] * (limits.MAX_LIST + n)}),
    "bins": lambda n: encoded(x={"field": "b", "bin": {"maxbins": limits.MAX_BINS + n}}),
    "ticks": lambda n: encoded(x={"field": "b", "axis": {"tickCount": limits.MAX_TICKS + n}}),
    "font size": lambda n: bar(title={"text": "x", "fontSize": limits.MAX_FONT_SIZE + n}),
    "style number": lambda n: bar(padding=limits.MAX_STYLE_NUMBER + n),
    "area": lambda n: bar(mark={"type": "point", "size": limits.MAX_AREA + n}),
    "data number": lambda n: bar(data={"values": [{"a": limits.MAX_NUMBER + n}]}),
    "width": lambda n: bar(width=limits.MAX_SIDE + n),
    "height": lambda n: bar(height=limits.MIN_SIDE - n),
    "depth": lambda n: nested((limits.MAX_DEPTH - 4) // 2 + n),
    "expression": lambda n: calculated("1" * (limits.MAX_EXPRESSION + n)),
}


@pytest.mark.parametrize(
    ("transform", "named"),
    [
        ({"regression": "b", "on": "a"}, "'regression'"),
        ({"lookup": "a", "from": {}}, "'lookup'"),
        ({}, r"\{\}"),
        ("fold", "'fold'"),
    ],
)
def test_a_transform_that_is_not_known_is_named(transform: Any, named: str) -> None:
    with pytest.raises(RenderError, match=f"transform {named} is not one of aggregate, bin"):
        lint(bar(transform=[transform]))


@pytest.mark.parametrize("name", AT_THE_LIMIT)
def test_limits_hold_exactly(name: str) -> None:
    assert lint(AT_THE_LIMIT[name](0))
    with pytest.raises(RenderError):
        lint(AT_THE_LIMIT[name](1))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("{'mark': 'bar'}", "not JSON"),
        ('{"mark": "bar"', "not JSON"),
        ("1" * 5000, "not JSON"),
        ("[" * 100_000, "nested deeper"),
        (f'"{"x" * 900_000}"', "characters"),
    ],
)
def test_text_that_is_no_json_is_refused(text: str, reason: str) -> None:
    with pytest.raises(RenderError, match=reason):
        parse(text)
