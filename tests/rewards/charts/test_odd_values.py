"""What a policy may write into a specification and Vega draws, though it is no time, number or
colour as the reader takes them: it is read or refused, and never a fault of the machine."""

from __future__ import annotations

from typing import Any

import pytest
from inward_rewards.charts import RenderError, Row, table_f1
from inward_rewards.charts.draw import draw
from inward_rewards.charts.specification import lint
from rewards.charts.hostile import bar

X: dict[str, Any] = {"field": "a", "type": "nominal"}
Y: dict[str, Any] = {"field": "b", "type": "quantitative"}


def chart(rows: list[dict[str, Any]], mark: Any = "bar", **encoding: Any) -> dict[str, Any]:
    return bar(data={"values": rows}, mark=mark, encoding={"x": X, "y": Y, **encoding})


def rows(*names: Any) -> list[dict[str, Any]]:
    return [{"a": name, "b": place + 1} for place, name in enumerate(names)]


DAY = {"field": "d", "type": "temporal"}
ODD: dict[str, dict[str, Any]] = {
    "30 February": chart(rows("2024-02-30 10:00", "B")),
    "24 o'clock": chart(rows("2024-01-01 24:00", "B")),
    "a code with dashes": chart(rows("1001-AB-0001", "B"), x={**X, "axis": {"values": ["B"]}}),
    "month 99": chart(rows("A", "2024-99-99"), x={**X, "axis": {"values": ["A"]}}),
    "the year 0": chart(rows("0000-01-01", "0000-01-02")),
    "a month that is no date": chart(
        rows("spring", "2024-01"), x={"field": "a", "type": "ordinal", "timeUnit": "yearmonth"}
    ),
    "an invalid date": bar(
        data={"values": rows("x", "y")},
        transform=[{"calculate": "datetime(datum.a)", "as": "d"}],
        encoding={"x": {**X, "field": "d"}, "y": Y},
    ),
    "a far colour": bar(
        data={"values": rows("x", "y")},
        transform=[{"calculate": "datum.b * 1e30", "as": "d"}],
        encoding={"x": X, "y": Y, "color": DAY},
    ),
    "the year 20000": bar(
        data={"values": rows("x", "y")},
        transform=[{"calculate": "569000000000000 + datum.b", "as": "d"}],
        encoding={"x": DAY, "y": Y},
        mark="point",
    ),
    "no text as a number": chart([{"a": "A", "b": ""}, {"a": "B", "b": 2}], "point"),
    "true as a number": chart([{"a": "A", "b": True}, {"a": "B", "b": 2}], "point"),
    "a date as a number": bar(
        data={"values": rows("x", "y")},
        transform=[{"calculate": "datetime(2020, datum.b, 1)", "as": "d"}],
        encoding={"x": X, "y": {**Y, "field": "d"}},
        mark="point",
    ),
    "a time unit on a number": chart(
        rows("A", "B"), "tick", x={"field": "b", "type": "quantitative", "timeUnit": "month"}
    ),
    "a translucent ramp": chart(
        rows("A", "B"),
        "rect",
        y={**X, "field": "a"},
        color={**Y, "scale": {"range": ["rgba(0,0,255,0.3)", "red"]}},
    ),
    "a modern colour": chart(
        rows("A", "B"),
        "rect",
        y={**X, "field": "a"},
        color={
            **Y,
            "condition": {"test": "datum.b > 1", "value": "hsl(120 50% 50%)"},
        },
    ),
    "a broken opacity": chart(rows("A", "B"), {"type": "bar", "color": "rgba(1,2,3,1.2.3)"}),
}


REFUSED = {"a modern colour": "write it as #rrggbb"}


@pytest.mark.parametrize("name", ODD)
def test_it_is_read_or_refused(name: str) -> None:
    if name in REFUSED:
        with pytest.raises(RenderError, match=REFUSED[name]):
            draw(lint(ODD[name]))
    else:
        assert draw(lint(ODD[name])).png


def test_digits_of_other_scripts_are_no_hours() -> None:
    reference = [Row(("2024-01-01",), 1.0), Row(("2024-01-02",), 2.0)]
    ethiopic, none = "2024-01-01 \u1369\u1369", "2024-01-01 xx"
    found = [table_f1(reference, [Row((name,), 1.0)]).f1 for name in (ethiopic, none)]
    assert found[0] == found[1] < 1
