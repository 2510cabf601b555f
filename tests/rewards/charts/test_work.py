"""Whether a chart is too much to draw is counted, and not told by a clock."""

from __future__ import annotations

from typing import Any

import pytest
from inward_rewards.charts.draw import draw, work
from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.specification import limits
from inward_rewards.charts.specification.lint import lint
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
