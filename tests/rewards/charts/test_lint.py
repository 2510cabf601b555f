"""The linter lets every ordinary chart through, and holds each limit at its exact place."""

from __future__ import annotations

from typing import Any

import pytest
from inward_rewards.charts import limits
from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.lint import lint, parse
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
    "style number": lambda n: bar(mark={"type": "bar", "size": limits.MAX_STYLE_NUMBER + n}),
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
