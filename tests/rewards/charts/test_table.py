"""Table F1: what counts, what does not, and what each known trick earns."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from chart_spec.generate import KINDS, generate
from hypothesis import given, settings
from hypothesis import strategies as st
from inward_rewards.charts.scene import Row
from inward_rewards.charts.table import table_f1


def rows(**values: float) -> list[Row]:
    return [Row((name,), value) for name, value in values.items()]


BARS = rows(Wind=40.0, Solar=30.0, Hydro=20.0, Coal=10.0)
GRID = [
    Row((region, year), value)
    for region, year, value in (
        ("North", "Low", 1.0), ("North", "High", 2.0), ("South", "Low", 3.0),
        ("South", "High", 4.0),
    )
]  # fmt: skip
CLOUD = [Row((x, "a"), y) for x, y in ((0.0, 5.0), (2.5, 6.0), (5.0, 7.0), (10.0, 8.0))]
BOX = [Row(("A",), value) for value in (1.0, 2.0, 3.0, 4.0, 5.0)]


@pytest.mark.parametrize(
    ("reference", "candidate", "expected"),
    [
        pytest.param(BARS, BARS, 1.0, id="the reference itself"),
        pytest.param(BARS, BARS[::-1], 1.0, id="rows in another order"),
        pytest.param(GRID, [Row(r.keys[::-1], r.value) for r in GRID], 1.0, id="transposed"),
        pytest.param(BOX, BOX[::-1], 1.0, id="equal keys are paired by value"),
        pytest.param(BARS, [], 0.0, id="no rows"),
        pytest.param(BARS, rows(Tea=1, Milk=2, Salt=3), 0.0, id="another table"),
        pytest.param(BARS, [Row(r.keys, r.value * 1.1) for r in BARS], 0.9, id="10 % too much"),
        pytest.param(BARS, [Row(r.keys, r.value * 1.6) for r in BARS], 0.0, id="60 % too much"),
        pytest.param(BARS, [Row(r.keys, -r.value) for r in BARS], 0.0, id="signs turned"),
        pytest.param(BARS, BARS[:2], 2 / 3, id="half of the rows: recall 1/2"),
        pytest.param(BARS, BARS * 3, 0.5, id="each row three times: precision 1/3"),
        pytest.param(BARS, rows(wind=40, SOLAR=30, Hydro=20, Coal=10), 1.0, id="case is nothing"),
        pytest.param(BARS, rows(Wynd=40, Solar=30, Hydro=20, Coal=10), 3.75 / 4, id="one letter"),
        pytest.param(BARS, [Row(("",), r.value) for r in BARS], 0.0, id="values without names"),
        pytest.param(GRID, [Row(r.keys[:1], r.value) for r in GRID], 0.5, id="no series"),
        pytest.param(CLOUD, [replace(r, keys=(r.keys[0] + 0.5, "a")) for r in CLOUD], 0.75,
                     id="places off by a twentieth of the axis"),
        pytest.param(CLOUD, [replace(r, keys=(r.keys[0] + 1.0, "a")) for r in CLOUD], 0.5,
                     id="places off by a tenth of the axis"),
        pytest.param(
            [Row(("2019",), 1.0), Row(("2020",), 2.0)],
            [Row(("2019-01-01",), 1.0), Row((2020.0,), 2.0)],
            1.0,
            id="a year, a date and a number name the same place",
        ),
        pytest.param(
            [Row(("2019",), 1.0), Row(("2020",), 2.0), Row(("2021",), 3.0)],
            [Row(("2022",), 1.0), Row(("2023",), 2.0), Row(("2024",), 3.0)],
            0.0,
            id="other years, though three letters of four agree",
        ),
        pytest.param(rows(A=0.0, B=50.0), rows(A=0.25, B=50.0), 0.875, id="zero, nearly read"),
        pytest.param(rows(A=0.0, B=50.0), rows(A=2.0, B=50.0), 0.5, id="zero, misread"),
        pytest.param(rows(A=0.0), rows(A=0.0), 1.0, id="nothing but zero"),
        pytest.param(rows(A=0.0), rows(A=1.0), 0.0, id="something for nothing"),
        pytest.param(BARS, [Row(r.keys, math.nan) for r in BARS], 0.0, id="not a number"),
        pytest.param(BARS, [Row(r.keys, math.inf) for r in BARS], 0.0, id="infinite"),
        pytest.param(BARS, [Row((), r.value) for r in BARS], 0.0, id="no keys at all"),
    ],
)  # fmt: skip
def test_score(reference: list[Row], candidate: list[Row], expected: float) -> None:
    assert table_f1(reference, candidate).f1 == pytest.approx(expected, abs=1e-9)


def test_precision_and_recall_are_told_apart() -> None:
    assert table_f1(BARS, BARS[:2]).recall == pytest.approx(0.5)
    assert table_f1(BARS, BARS[:2]).precision == pytest.approx(1.0)
    assert table_f1(BARS, BARS * 2).precision == pytest.approx(0.5)
    assert table_f1(BARS, BARS * 2).recall == pytest.approx(1.0)


def test_shuffled_values_lose_though_all_numbers_are_there() -> None:
    turned = [
        Row(row.keys, other.value) for row, other in zip(BARS, BARS[1:] + BARS[:1], strict=True)
    ]
    assert table_f1(BARS, turned).f1 < 0.5


def test_the_mean_at_every_place_earns_what_its_errors_leave() -> None:
    mean = sum(row.value for row in BARS) / len(BARS)
    expected = ((1 - 15 / 40) + (1 - 5 / 30) + (1 - 5 / 20) + 0) / 4
    assert table_f1(BARS, [Row(row.keys, mean) for row in BARS]).f1 == pytest.approx(expected)


@pytest.mark.parametrize(
    ("reference", "message"),
    [([], "has no rows"), ([Row(("A",), math.nan)], "not finite"), ([Row((), math.inf)], "finite")],
)
def test_a_faulty_reference_raises(reference: list[Row], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        table_f1(reference, BARS)


@pytest.mark.parametrize("kind", KINDS)
def test_more_error_scores_less_on_every_kind(kind: str) -> None:
    rng = random.Random(kind)
    for index in range(4):
        table = generate(index, 21, kinds=[kind]).table
        scores = [
            table_f1(
                table,
                [Row(row.keys, row.value * (1 + error * rng.choice((-1, 1)))) for row in table],
            ).f1
            for error in (0.0, 0.05, 0.15, 0.4)
        ]
        assert scores[0] == pytest.approx(1.0)
        assert scores == sorted(set(scores), reverse=True)


KEYS = st.lists(
    st.one_of(st.floats(allow_nan=True), st.text(max_size=6), st.just("2021-13-99")), max_size=3
).map(tuple)
TABLES = st.lists(st.builds(Row, KEYS, st.floats()), max_size=8)


@settings(max_examples=150, deadline=None)
@given(TABLES)
def test_any_candidate_gets_a_score_between_0_and_1(candidate: list[Row]) -> None:
    for reference in (BARS, GRID, CLOUD):
        score = table_f1(reference, candidate)
        assert all(0 <= part <= 1 for part in (score.f1, score.precision, score.recall))
