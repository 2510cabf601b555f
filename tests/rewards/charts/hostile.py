"""Specifications that a policy might write to read, reach, hang, flood or break something."""

from __future__ import annotations

import copy
import functools
from typing import Any

Spec = dict[str, Any]

ROWS = [{"a": "A", "b": 3}, {"a": "B", "b": 5}, {"a": "C", "b": 4}]
X = {"field": "a", "type": "nominal"}
Y = {"field": "b", "type": "quantitative"}


def bar(**changes: Any) -> Spec:
    return {"data": {"values": ROWS}, "mark": "bar", "encoding": {"x": X, "y": Y}, **changes}


def encoded(**channels: Any) -> Spec:
    return bar(encoding={"x": X, "y": Y, **channels})


def calculated(expression: str) -> Spec:
    return bar(transform=[{"calculate": expression, "as": "c"}])


def reach(file: str, server: str) -> dict[str, Spec]:
    """Attempts on a file (a red picture, a CSV beside it) and on a web server."""
    image = {"width": 100, "height": 100}
    return {
        "image mark, file": bar(mark={"type": "image", "url": file, **image}),
        "image mark, bare path": bar(
            mark={"type": "image", "url": file.removeprefix("file://"), **image}
        ),
        "image mark, http": bar(mark={"type": "image", "url": f"{server}/a.png", **image}),
        "image by channel": bar(
            mark={"type": "image", **image},
            encoding={"x": X, "y": Y, "url": {"value": f"{server}/b.png"}},
        ),
        "image by field": bar(
            data={"values": [{"a": "A", "b": 1, "u": file}]},
            mark={"type": "image", **image},
            encoding={"x": X, "y": Y, "url": {"field": "u"}},
        ),
        "image of the chart inside": bar(
            mark={
                "type": "image",
                "url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAA"
                "DUlEQVR4nGP4z8DwHwAFAAH/q842iQAAAABJRU5ErkJggg==",
                **image,
            }
        ),
        "data from http": bar(data={"url": f"{server}/c.json"}),
        "data from a file": bar(data={"url": file.replace(".png", ".csv")}),
        "data from http, nested": {"layer": [bar(data={"url": f"{server}/d.csv"})]},
        "data from http in a lookup": bar(
            transform=[{"lookup": "a", "from": {"data": {"url": f"{server}/e.json"}, "key": "a"}}]
        ),
        "data by name and url": bar(data={"name": "x", "url": f"{server}/f.json"}),
        "link on a mark": bar(mark={"type": "bar", "href": f"{server}/g"}),
        "link by channel": encoded(href={"value": f"{server}/h"}),
        "fill by url": bar(mark={"type": "bar", "fill": f"url({server}/i.svg#p)"}),
        "background by url": bar(background=f"url({server}/j)"),
        "font by url": bar(config={"font": f"url({server}/k.ttf)"}),
        "theme from the net": bar(usermeta={"embedOptions": {"theme": f"{server}/l.json"}}),
        "schema from the net": bar(**{"$schema": f"{server}/m.json"}),
        "topology from http": bar(
            data={"url": f"{server}/n.json", "format": {"type": "topojson", "feature": "x"}},
            mark="geoshape",
        ),
        "loader in an expression": calculated(f"load('{server}/o')"),
    }


def escape() -> dict[str, Spec]:
    """Attempts to run code in the expression language."""
    return {
        "constructor": calculated("datum.constructor.constructor('return 1')()"),
        "constructor by key": calculated("datum['constructor']['constructor']('return 1')()"),
        "prototype": calculated("datum.__proto__.polluted = 1"),
        "this": calculated("this.process"),
        "event and item": calculated("event.item.mark.group.context"),
        "warn": calculated("warn('x')"),
        "regular expression": calculated("/(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')"),
        "regexp function": calculated("test(regexp('(a+)+$'), 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')"),
        "replace with groups": calculated("replace('aaaaaaaaaaaaaaaa', regexp('(a*)*b'), '')"),
        "random": calculated("random()"),
        "clock": calculated("now()"),
        "sequence of a billion": calculated("length(sequence(0, 1e9))"),
        "padding of a billion": calculated("length(pad('a', 1e9, 'b'))"),
        "repeat by join": calculated("join(sequence(0, 1e8), 'aaaaaaaa')"),
        "expression in a property": bar(mark={"type": "bar", "cornerRadius": {"expr": "1e9"}}),
        "expression in a label": encoded(
            x={**X, "axis": {"labelExpr": "pad(datum.label, 1e8, 'x')"}}
        ),
        "signal in config": bar(config={"signals": [{"name": "s", "update": "sequence(1e9)"}]}),
        "params": bar(params=[{"name": "p", "expr": "sequence(0, 1e9)"}]),
        "selection bound to input": bar(
            params=[{"name": "p", "bind": {"input": "text"}, "select": "point"}]
        ),
        "raw Vega": {
            "$schema": "https://vega.github.io/schema/vega/v6.json",
            "signals": [{"name": "s", "init": "sequence(0, 1e9)"}],
            "marks": [{"type": "rect"}],
        },
    }


def flood() -> dict[str, Spec]:
    """Small specifications of great work."""
    many = [{"a": f"n{i}", "b": i % 7, "c": i} for i in range(1000)]
    big = {"field": "b", "type": "quantitative"}
    deep: Spec = bar()
    for _ in range(200):
        deep = {"layer": [deep]}
    facets = bar(data={"values": many}, facet={"field": "a"})
    del facets["mark"], facets["encoding"]
    facets["spec"] = {"mark": "bar", "encoding": {"x": X, "y": Y}}
    return {
        "canvas of 200,000 pixels": bar(width=200_000, height=200_000),
        "canvas by padding": bar(padding=1e6),
        "canvas by offset": encoded(x={**X, "axis": {"offset": 1e7}}),
        "canvas by a far point": encoded(x={"value": 1e7}),
        "canvas by step": bar(data={"values": many}, width={"step": 1e6}),
        "canvas by steps of many": bar(data={"values": many}, width={"step": 100}),
        "canvas by spacing": {"hconcat": [bar(), bar()], "spacing": 1e7},
        "size not a number": bar(width="1e9"),
        "size as container": bar(width="container"),
        "negative size": bar(width=-5),
        "NaN": bar(width=float("nan")),
        "infinite value": bar(data={"values": [{"a": "A", "b": float("inf")}]}),
        "huge integer": bar(data={"values": [{"a": "A", "b": 10**400}]}),
        "rows": bar(data={"values": [{"a": i, "b": i} for i in range(100_000)]}),
        "rows over datasets": {
            "datasets": {str(i): many for i in range(50)},
            **bar(data={"name": "0"}),
        },
        "columns": bar(data={"values": [{f"f{i}": i for i in range(5000)}]}),
        "facets": facets,
        "facets by channel": encoded(row={"field": "b", "type": "ordinal", "bin": {"step": 1e-9}}),
        "layers": {"data": {"values": ROWS}, "layer": [bar() for _ in range(500)]},
        "concatenations in concatenations": {
            "hconcat": [{"vconcat": [bar() for _ in range(20)]} for _ in range(20)]
        },
        "repeat": {
            "repeat": {"row": ["a", "b"] * 100, "column": ["a", "b"] * 100},
            "spec": bar(),
        },
        "nesting": deep,
        "sequence data": bar(data={"sequence": {"start": 0, "stop": 1e9, "as": "b"}}),
        "graticule": bar(data={"graticule": {"step": [0.001, 0.001]}}, mark="geoshape"),
        "bins": encoded(x={**big, "bin": {"maxbins": 1e9}}),
        "bin step": encoded(x={**big, "bin": {"step": 1e-9}}),
        "bin extent": encoded(x={**big, "bin": {"extent": [0, 1e12], "step": 1}}),
        "ticks": encoded(y={**big, "axis": {"tickCount": 1e7}}),
        "ticks by interval": bar(
            data={"values": [{"a": "0001-01-01", "b": 1}, {"a": "9999-01-01", "b": 2}]},
            encoding={
                "x": {
                    "field": "a",
                    "type": "temporal",
                    "axis": {"tickCount": {"interval": "millisecond", "step": 1}},
                },
                "y": Y,
            },
        ),
        "tick values": encoded(y={**big, "axis": {"values": list(range(50_000))}}),
        "domain": encoded(x={**X, "scale": {"domain": list(range(50_000))}}),
        "density": bar(transform=[{"density": "b", "steps": 1_000_000_000}]),
        "loess": bar(transform=[{"loess": "b", "on": "c"}]),
        "regression": bar(transform=[{"regression": "b", "on": "c", "order": 5000}]),
        "quantile": bar(transform=[{"quantile": "b", "step": 1e-9}]),
        "impute": bar(
            transform=[{"impute": "b", "key": "c", "keyvals": {"start": 0, "stop": 1e9, "step": 1}}]
        ),
        "impute by channel": encoded(y={**big, "impute": {"keyvals": {"stop": 1e9}}}),
        "fold": bar(data={"values": many}, transform=[{"fold": ["a", "b", "c"] * 100}]),
        "flatten": bar(
            data={"values": [{"a": list(range(1000)), "b": 1} for _ in range(1000)]},
            transform=[{"flatten": ["a"]}],
        ),
        "transforms": bar(transform=[{"calculate": "1", "as": f"c{i}"} for i in range(5000)]),
        "dashes": bar(mark={"type": "rule", "strokeDash": [1e-6, 1e-6]}),
        "width of a number format": encoded(y={**big, "axis": {"format": "0999999999d"}}),
        "number as a control character": encoded(y={**big, "axis": {"format": "c"}}),
        "a bootstrap": encoded(y={**Y, "aggregate": "ci0"}),
        "a bootstrap in a transform": bar(
            transform=[{"aggregate": [{"op": "ci1", "field": "b", "as": "c"}], "groupby": ["a"]}]
        ),
        "a bootstrap by a mark": bar(mark={"type": "errorbar", "extent": "ci"}),
        "a bootstrap by config": bar(mark="errorband", config={"errorband": {"extent": "ci"}}),
        "a bootstrap in a sort": encoded(x={**X, "sort": {"field": "b", "op": "ci0"}}),
        "a sample": bar(transform=[{"sample": 2}]),
        "folds of folds": bar(
            data={"values": many},
            transform=[{"fold": ["a", "b", "c"], "as": [f"k{i}", "v"]} for i in range(8)],
        ),
        "more texts than can be drawn": bar(
            data={"values": many},
            mark={"type": "text", "text": "x"},
            transform=[{"fold": ["a", "b", "c", "a"]}],
            encoding={
                "x": {"field": "c", "type": "quantitative"},
                "y": {**Y, "type": "quantitative"},
                "detail": {"field": "key"},
            },
            width=1200,
            height=1200,
        ),
        "bin step of a repeated field": {
            "repeat": ["b"],
            "spec": encoded(x={"field": {"repeat": "column"}, "bin": {"step": 1}}),
        },
        "bin step of a field that is none": encoded(x={"field": {"a": 1}, "bin": {"step": 1}}),
        "format of a billion in an expression": calculated("format(datum.b, '0999999999d')"),
        "parameter that is computed": bar(params=[{"name": "p", "expr": "sequence(0, 1e9)"}]),
        "parameter that makes an expression grow": bar(
            params=[{"name": "p", "value": "x" * 50_000}],
            transform=[{"calculate": " + ".join(["p"] * 5_000), "as": "c"}],
        ),
        "selection that starts": bar(
            params=[{"name": "p", "select": "interval", "value": {"x": [0, 1]}}]
        ),
        "clamped scale": encoded(y={**Y, "scale": {"domain": [0, 1], "clamp": True}}),
        "chance in a size": bar(mark={"type": "bar", "xOffset": "random() * 60"}),
        "chance in a filter": bar(transform=[{"filter": {"not": "random() > 0.5"}}]),
        "the clock in a filter": bar(transform=[{"filter": {"and": ["now() > 0"]}}]),
        "a sequence in an axis": encoded(y={**Y, "axis": {"tickOffset": "length(sequence(1e9))"}}),
        "a stroke in words": bar(mark={"type": "bar", "strokeWidth": "2px"}),
        "views over each other": {"hconcat": [bar(), bar()], "spacing": -200},
        "long title": bar(title="x" * 100_000),
        "long category": bar(data={"values": [{"a": "x" * 50_000, "b": 1}]}),
        "huge font": bar(title={"text": "x", "fontSize": 1e6}),
        "huge symbol": bar(mark={"type": "point", "size": 1e12}),
        "thick stroke": bar(mark={"type": "line", "strokeWidth": 1e9}),
        "shape as a path": bar(mark={"type": "point", "shape": "M0,0" + "l1,1" * 40}),
        "shape as a path, by scale": encoded(
            shape={"field": "a", "scale": {"range": ["M0,0L1,1Z"]}}
        ),
        "gradient": bar(mark={"type": "bar", "color": {"gradient": "linear", "stops": []}}),
        "blend": bar(mark={"type": "bar", "blend": "difference"}),
        "map projection": bar(mark="geoshape", projection={"type": "mercator"}),
        "not an object": [1, 2, 3],
        "null": None,
        "empty": {},
        "mark of a strange type": bar(mark={"type": {"type": "bar"}}),
        "rows as text": bar(data={"values": "a,b\nA,1", "format": {"type": "csv"}}),
        "cell as an object": bar(data={"values": [{"a": {"b": {}}, "b": 1}]}),
        "encoding as a list": bar(encoding=[1]),
        "control characters": bar(title="a\x1bb"),
        "half a surrogate": bar(title="\ud800"),
    }


@functools.cache  # some are megabytes, and every test asks for one
def _every(file: str, server: str) -> dict[str, Any]:
    return {**reach(file, server), **escape(), **flood()}


def every(file: str, server: str) -> dict[str, Any]:
    """All of them by name. They are shared: see `one`."""
    return dict(_every(file, server))


def one(name: str, file: str, server: str) -> Any:
    """A copy, which the test may change."""
    return copy.deepcopy(_every(file, server)[name])
