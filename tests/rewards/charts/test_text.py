"""Visible-text F1."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inward_rewards.charts.measures.text import text_f1

CHART = ["Rainfall by city", "City", "Rainfall (mm)", "Oslo", "Lima", "0", "100", "200"]


@pytest.mark.parametrize(
    ("reference", "candidate", "expected"),
    [
        pytest.param(CHART, CHART, 1.0, id="the reference itself"),
        pytest.param(CHART, CHART[::-1], 1.0, id="another order"),
        pytest.param(CHART, [], 0.0, id="no text"),
        pytest.param([], [], 1.0, id="two charts without text"),
        pytest.param([], ["Title"], 0.0, id="text where there is none"),
        pytest.param(["Oslo"], ["  OSLO "], 1.0, id="case and space are nothing"),
        pytest.param(["Oslo"], ["Osla"], 0.75, id="one letter of four"),
        pytest.param(["Oslo"], ["Rome"], 0.0, id="another word"),
        pytest.param(["−10"], ["-10"], 1.0, id="d3's minus"),
        pytest.param(["1,000"], ["1k"], 1.0, id="a number written otherwise"),
        pytest.param(["$1.5M"], ["1500000"], 1.0, id="money"),
        pytest.param(["50%"], ["0.5"], 1.0, id="per cent"),
        pytest.param(["100"], ["150"], 0.0, id="another number, though two digits agree"),
        pytest.param(["2019"], ["2O19"], 0.0, id="a number is no word"),
        pytest.param(CHART, CHART[1:], 1 - 1.5 / 9.5, id="no title: three words of eleven"),
        pytest.param(["A"], ["A"] * 4, 0.4, id="repeated"),
        pytest.param(["Oslo"], ["\u200b", "  "], 0.0, id="nothing to be seen"),
        pytest.param(["Ünïted"], ["U\u0308ni\u0308ted"], 1.0, id="composed letters"),
    ],
)
def test_score(reference: list[str], candidate: list[str], expected: float) -> None:
    assert text_f1(reference, candidate) == pytest.approx(expected, abs=1e-3)


def test_a_heap_of_likely_words_does_not_pay() -> None:
    heap = [str(10 * i) for i in range(100)] + ["City", "Year", "Value", "Oslo", "Month"]
    assert text_f1(CHART, heap) < 0.15


@settings(max_examples=100)
@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_text_gets_a_score_between_0_and_1(texts: list[str]) -> None:
    assert 0 <= text_f1(CHART, texts) <= 1
    assert text_f1(texts, texts) == pytest.approx(1.0)
