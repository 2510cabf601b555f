"""The documented examples are read whole."""

from __future__ import annotations

import re
from pathlib import Path

import inward_rewards.images.plain as plain
import pytest
from inward_rewards.images import PlainChart, read

PAGE = (Path(plain.__file__).parent / "EXAMPLES.md").read_text()
EXAMPLES = re.findall(r"^(\d+)\. (.+)$", PAGE, re.MULTILINE)


def told(chart: PlainChart) -> object:
    return (repr(chart.x), repr(chart.y), repr(chart.right), chart.observed, repr(chart.looks)), (
        *(chart.kind, chart.title, chart.subtitle, chart.legend_title, chart.stack),
        *(chart.width, tuple(chart.colors.items()), chart.donut, chart.horizontal),
        *(chart.bands, tuple(chart.dashes.items()), tuple(chart.markers.items())),
        tuple(chart.notes),
    )


def test_there_are_forty() -> None:
    assert [int(number) for number, _ in EXAMPLES] == list(range(1, 41))


@pytest.mark.parametrize(("number", "words"), EXAMPLES)
def test_each_is_read_whole(number: str, words: str) -> None:
    before = "" if int(number) <= 5 else "Line chart.\n"
    chart = read(before + words)
    assert chart.ignored == 0
    assert told(chart) != told(read(before))
    if 14 <= int(number) <= 26:
        assert chart.observed > 0
