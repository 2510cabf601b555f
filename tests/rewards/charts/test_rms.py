"""DePlot's RMS F1 against a second implementation, written from the released one's description."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inward_rewards.charts.measures.rms import rms_f1
from inward_rewards.charts.reading.scene import Row

Mapping = tuple[str, float]


def edits(a: str, b: str) -> int:
    before = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        now = [i]
        for j, right in enumerate(b, 1):
            now.append(min(before[j] + 1, now[-1] + 1, before[j - 1] + (left != right)))
        before = now
    return before[-1]


def name_distance(a: str, b: str) -> float:
    distance = edits(a, b) / max(len(a), len(b), 1)
    return distance if distance < 0.5 else 1.0


def number_distance(true: float, read: float) -> float:
    if true == 0:
        return float(read != 0)
    distance = min(1.0, abs((true - read) / true))
    return distance if distance < 0.1 else 1.0


def f1_by_trying_every_pairing(reference: list[Mapping], candidate: list[Mapping]) -> float:
    """The best F1 among the pairings of least distance between names."""
    short, long = sorted((reference, candidate), key=len)
    swapped = short is candidate
    best = (float("inf"), 0.0)
    for chosen in itertools.permutations(long, len(short)):
        pairs = [(b, a) if swapped else (a, b) for a, b in zip(short, chosen, strict=True)]
        names = [name_distance(t[0], p[0]) for t, p in pairs]
        hits = [
            (1 - name) * (1 - number_distance(t[1], p[1]))
            for name, (t, p) in zip(names, pairs, strict=True)
        ]
        best = min(best, (round(sum(names), 9), -sum(hits)))
    return 2 * -best[1] / (len(reference) + len(candidate))


def mapped(rows: list[Row]) -> list[Mapping]:
    return [(" ".join(map(str, row.keys)), row.value) for row in rows]


NAMES = st.sampled_from(["Wind", "Wand", "Sand", "Solar", "Hydro", "Coal", "Coal 2", "A"])
VALUES = st.sampled_from([0.0, 1.0, 1.05, 1.0999, 1.1, -1.0, 90.0, 100.0, 109.0, 111.0])
ROWS = st.lists(st.builds(Row, st.tuples(NAMES), VALUES), min_size=1, max_size=5)


@settings(max_examples=200)
@given(ROWS, ROWS)
def test_agrees_with_a_second_implementation(reference: list[Row], candidate: list[Row]) -> None:
    expected = f1_by_trying_every_pairing(mapped(reference), mapped(candidate))
    assert rms_f1(reference, candidate) == pytest.approx(expected, abs=1e-6)


def rows(**values: float) -> list[Row]:
    return [Row((name,), value) for name, value in values.items()]


TRUE = rows(Wind=40.0, Solar=30.0, Hydro=20.0)
GRID = [Row(("North", "Low"), 1.0), Row(("North", "High"), 2.0), Row(("South", "Low"), 3.0)]


@pytest.mark.parametrize(
    ("reference", "candidate", "expected"),
    [
        pytest.param(TRUE, TRUE, 1.0, id="the reference"),
        pytest.param(TRUE, rows(Wind=42.0, Solar=31.5, Hydro=21.0), 0.95, id="5 % too much"),
        pytest.param(TRUE, rows(Wind=44.0, Solar=33.0, Hydro=22.0), 0.0, id="10 % is wrong"),
        pytest.param(TRUE, TRUE[:2], 0.8, id="a row is missing"),
        pytest.param(TRUE, [], 0.0, id="no rows"),
        pytest.param(GRID, [Row(r.keys[::-1], r.value) for r in GRID], 1.0, id="transposed"),
        pytest.param(TRUE, rows(Wynd=40.0, Solar=30.0, Hydro=20.0), 2.75 / 3, id="one letter"),
    ],
)
def test_known_scores(reference: list[Row], candidate: list[Row], expected: float) -> None:
    assert rms_f1(reference, candidate) == pytest.approx(expected)


def test_a_reference_without_rows_raises() -> None:
    with pytest.raises(ValueError, match="has no rows"):
        rms_f1([], TRUE)
