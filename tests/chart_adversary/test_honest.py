"""Ordinary ways to label and to colour a chart pass the gate's strict reading."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from chart_adversary.legibility import MIN_AGREEMENT, agreement, moves_labels, proposal_of
from chart_spec.taskset import ChartSpecConfig, ChartSpecTaskset
from inward_charts import generate
from inward_rewards.charts.draw import draw
from inward_rewards.charts.specification import lint
from support.proposals import (
    EVENTS,
    SITES,
    apart,
    changed,
    days,
    encoded,
    grouped,
    labelled,
    numbers,
    rows,
)

SET2 = ("#66c2a5", "#fc8d62", "#8da0cb", "#e78ac3", "#a6d854", "#ffd92f", "#e5c494", "#b3b3b3")
BY_SITE = {"field": "site", "type": "nominal", "scale": {"range": SET2}}


def colored(mark: str) -> dict[str, Any]:
    spec = changed(mark={"type": mark, "filled": True} if mark == "point" else mark)
    spec["encoding"]["color"] = BY_SITE
    return spec


HEAT = changed(
    data={"values": [
        {"site": site, "day": day, "events": 3 * place + 11 * other}
        for place, site in enumerate(SITES) for other, day in enumerate(("Mon", "Tue", "Wed"))
    ]},
    mark="rect",
    encoding={
        "x": {"field": "site", "type": "nominal"}, "y": {"field": "day", "type": "nominal"},
        "color": {"field": "events", "type": "quantitative"},
    },
)  # fmt: skip
LOG = {"scale": {"type": "log", "domain": [1, 100]}}
HONEST = {
    "a unit behind": numbers("datum.label + ' mg'"),
    "a sign before": numbers("'n = ' + datum.label"),
    "currency": encoded(y={"axis": {"format": "$,.2f"}}),
    "powers": encoded(y={"axis": {"format": ".1e"}}),
    "losses in dollars": {
        **encoded(y={"axis": {"format": "$,.2f"}}),
        "data": rows(-50, -12, 33, 20, -7, 41, 18, -25),
    },
    "millions in words": {
        **numbers("datum.value / 1e6 + ' million'"),
        "data": rows(*(event * 1e6 for event in EVENTS)),
    },
    "a logarithmic axis": {
        **encoded(y=LOG), "mark": {"type": "point", "filled": True, "size": 90},
    },
    "a legend of numbers": HEAT,
    "default dates": days(),
    "Mar 4": days(format="%b %-d"),
    "04 Mar": days(format="%d %b"),
    "Mar 04, 2021": days(format="%b %d, %Y"),
    "Mon": days(format="%a"),
    "set2 as bars": colored("bar"),
    "set2 as points": colored("point"),
    "two colours side by side": grouped("#1f77b4", "#ff7f0e"),
    "two opacities": apart("line", opacity={"scale": {"range": [0.3, 1]}}),
    "two symbols": apart("point", shape={"scale": {"range": ["circle", "triangle-up"]}}),
    "two dashes": apart("line", strokeDash={"scale": {"range": [[1, 0], [6, 4]]}}),
    "printed numbers with a unit": labelled(0, "cases"),
    "labels moved by a pixel": encoded(y={"axis": {"labelOffset": 1}}),
}  # fmt: skip
FEW = ("a unit behind", "powers", "Mar 4", "set2 as points", "printed numbers with a unit")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in FEW else pytest.mark.slow) for n in HONEST]
)
def test_an_honest_chart_is_read(name):
    spec = lint(json.loads(json.dumps(HONEST[name])))
    found = agreement(draw(spec).scene, draw(spec, strict=True).scene)
    assert found is not None
    assert found >= MIN_AGREEMENT
    assert not moves_labels(spec)


@pytest.mark.slow
async def test_most_generated_charts_pass() -> None:
    """As the README counts them."""
    solvers = ChartSpecTaskset(ChartSpecConfig(id="chart-spec"))
    faults: Counter[str | None] = Counter()
    for index in range(66):
        reply = f"```json\n{json.dumps(generate(index, 20261127).spec)}\n```"
        faults[(await proposal_of(solvers, reply, str(index))).fault] += 1
    assert faults == {None: 60, "number count": 3, "hidden": 2, "far off": 1}
