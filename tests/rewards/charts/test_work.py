"""A chart is drawn alike however often: what is too much is counted, and nothing is by chance."""

from __future__ import annotations

from typing import Any

import pytest
from inward_rewards.charts import draw as draw_module
from inward_rewards.charts.draw import draw, work
from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.specification import limits, lint
from rewards.charts.hostile import bar


def mark(kind: str, count: int) -> dict[str, Any]:
    return {"marktype": kind, "items": [{}] * count}


def test_items_and_texts_are_counted_in_every_group() -> None:
    inner = {"marktype": "group", "items": [{"items": [mark("symbol", 4)]}] * 2}
    page = {"marktype": "group", "items": [{"items": [mark("rect", 3), mark("text", 2), inner]}]}
    assert work(page) == 3 + 2 * limits.WORK_TEXT + 2 * 4


def test_too_much_is_refused_by_its_count(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = draw(lint(bar()))
    monkeypatch.setattr(limits, "MAX_WORK", drawn.width * drawn.height // limits.WORK_PIXELS)
    with pytest.raises(RenderError, match=r"units of work, more than \d+: draw fewer items"):
        draw(lint(bar()))


CHANCE: dict[str, dict[str, Any]] = {
    "a number": bar(transform=[{"calculate": "random() * 9", "as": "b"}]),
    "a sample": bar(
        data={"values": [{"a": f"n{i}", "b": i * i} for i in range(200)]}, transform=[{"sample": 9}]
    ),
    "an interval": bar(
        data={"values": [{"a": "A", "b": i * i % 97} for i in range(60)]},
        mark={"type": "errorbar", "extent": "ci"},
    ),
    "a line": bar(mark="line", transform=[{"calculate": "random() * 9", "as": "b"}]),
}


@pytest.mark.parametrize("name", CHANCE)
def test_two_drawings_that_differ_are_never_read(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the checks that refuse chance, the values of both are compared all the same."""
    monkeypatch.setattr(draw_module, "_check_vega", lambda vega: None)
    with pytest.raises(RenderError, match="two drawings of it differ"):
        draw(CHANCE[name])


@pytest.mark.parametrize(
    "spec",
    [
        bar(data={"values": [{"a": 'two\nlines & <more> "quotes"\t', "b": 3}]}),
        bar(config={"aria": False}),
        bar(data={"values": [{"a": "A", "b": i} for i in range(9)]}, mark="boxplot"),
    ],
)
def test_drawings_that_are_alike_agree(spec: dict[str, Any]) -> None:
    assert draw({**spec, "width": 200}).scene.rows
