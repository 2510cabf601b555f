"""Table F1: what counts, what does not, and what each known trick earns."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inward_charts import KINDS, generate
from inward_rewards.charts.measures import table_f1, table_matches
from inward_rewards.charts.reading.scene import Row


def rows(**values: float) -> list[Row]:
    return [Row((name,), value) for name, value in values.items()]


def moved(table: list[Row], by: float) -> list[Row]:
    return [Row(row.keys, row.value + by) for row in table]


def spanned(table: list[Row], span: float, *, log: bool = False) -> list[Row]:
    return [Row(row.keys, row.value, span, log) for row in table]


BARS = rows(Wind=40.0, Solar=30.0, Hydro=20.0, Coal=10.0)
FAR = rows(Wind=1038.0, Solar=1036.0, Hydro=1032.0, Coal=1030.0)
DECADES = rows(Wind=1.0, Solar=30.0, Hydro=700.0, Coal=1e4)
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
        pytest.param(BARS, moved(BARS, 0.02 * 30), 0.992, id="off by 2 % of what the values span"),
        pytest.param(BARS, moved(BARS, 0.05 * 30), 0.882, id="off by 5 %"),
        pytest.param(BARS, moved(BARS, 0.10 * 30), 0.368, id="off by 10 %"),
        pytest.param(BARS, moved(BARS, -0.15 * 30), 0.034, id="off by 15 %"),
        pytest.param(BARS, moved(BARS, 0.40 * 30), 0.0, id="off by 40 %"),
        pytest.param(spanned(BARS, 100), moved(BARS, 5), 0.882, id="off by 5 % of the axis"),
        pytest.param(spanned(FAR, 8), moved(FAR, 0.4), 0.882, id="the same far from zero"),
        pytest.param(spanned(DECADES, math.log(1e4), log=True),
                     [Row(r.keys, r.value * 10**0.2) for r in DECADES], 0.882,
                     id="5 % of four decades"),
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
        pytest.param(rows(A=0.0, B=50.0), rows(A=2.5, B=50.0), (0.882 + 1) / 2, id="near zero"),
        pytest.param(rows(A=0.0), rows(A=0.0), 1.0, id="nothing but zero"),
        pytest.param(rows(A=0.0), rows(A=1.0), 0.0, id="something for nothing"),
        pytest.param(BARS, [Row(r.keys, math.nan) for r in BARS], 0.0, id="not a number"),
        pytest.param(BARS, [Row(r.keys, math.inf) for r in BARS], 0.0, id="infinite"),
        pytest.param(BARS, [Row((), r.value) for r in BARS], 0.0, id="no keys at all"),
        pytest.param(BOX, [*BOX[:4], Row(("A",), 5.4)], 0.368**0.2,
                     id="one number of a box off by a tenth: the box is read as one"),
        pytest.param(BOX, [*BOX[:4], Row(("A",), 9.0)], 1e-6**0.2,
                     id="one number of a box is wrong"),
    ],
)  # fmt: skip
def test_score(reference: list[Row], candidate: list[Row], expected: float) -> None:
    assert table_f1(reference, candidate).f1 == pytest.approx(expected, abs=5e-4)


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


@pytest.mark.parametrize("kind", KINDS)
def test_one_value_at_every_place_earns_little(kind: str) -> None:
    """The easy optimum of training, were numbers judged relative to themselves."""
    found = []
    for index in range(6):
        table = generate(index, 33, kinds=[kind]).table
        middle = (max(row.value for row in table) + min(row.value for row in table)) / 2
        found.append(table_f1(table, [Row(row.keys, middle) for row in table]).f1)
    assert sum(found) / len(found) < 0.45


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
        span = max(row.value for row in table) - min(row.value for row in table)
        scores = [
            table_f1(
                spanned(list(table), span),
                [Row(row.keys, row.value + error * span * rng.choice((-1, 1))) for row in table],
            ).f1
            for error in (0.0, 0.02, 0.05, 0.15)
        ]
        assert scores[0] == pytest.approx(1.0)
        assert scores == sorted(set(scores), reverse=True)


KEYS = st.lists(
    st.one_of(st.floats(allow_nan=True), st.text(max_size=6), st.just("2021-13-99")), max_size=3
).map(tuple)
TABLES = st.lists(st.builds(Row, KEYS, st.floats()), max_size=8)


@settings(max_examples=150)
@given(TABLES)
def test_any_candidate_gets_a_score_between_0_and_1(candidate: list[Row]) -> None:
    for reference in (BARS, GRID, CLOUD):
        score = table_f1(reference, candidate)
        assert all(0 <= part <= 1 for part in (score.f1, score.precision, score.recall))


def test_matches_are_the_pairs_of_the_score() -> None:
    reference = [Row(("a",), 1.0, 4.0), Row(("b",), 5.0, 4.0), Row(("c",), 3.0, 4.0)]
    candidate = [Row(("b",), 5.0), Row(("a",), 1.2), Row(("d",), 3.0), Row(("e",), 9.0)]
    matches = table_matches(reference, candidate)
    paired = {m.reference.keys: m.candidate for m in matches if m.reference}
    assert paired[("a",)] == candidate[1]
    assert paired[("b",)] == candidate[0]
    credits = [match.credit for match in matches]
    assert credits[1] == 1
    assert 0.8 < credits[0] < 1
    assert credits[2:] == [0, 0]
    score = table_f1(reference, candidate)
    assert sum(credits) == pytest.approx(3 * score.recall) == pytest.approx(4 * score.precision)
    assert [m.candidate for m in matches if m.reference is None] == [candidate[3]]
    assert [m.candidate for m in table_matches(reference, [])] == [None] * 3
    turned = [Row(("x", "a"), 1.0), Row(("y", "b"), 2.0)]
    (first, second) = table_matches(turned, [Row(("a", "x"), 1.0), Row(("b", "y"), 2.0)])
    assert first.credit == second.credit == 1
