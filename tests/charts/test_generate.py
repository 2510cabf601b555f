"""The generator: determinism, every kind at every level, tables and texts derived a second way."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from inward_charts import KINDS, LEVELS, Chart, generate, matplotlib_png
from inward_charts.mpl import draw
from inward_charts.numbers import SHORT, format_date, format_number, nice_ticks, shortens
from inward_rewards.charts.reading.names import meaning
from inward_rewards.charts.reading.scene import Row
from inward_rewards.charts.renderer import Renderer
from inward_rewards.charts.specification.lint import lint
from PIL import Image

PAIRS = list(itertools.product(KINDS, LEVELS))


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    renderer = Renderer(workers=2)
    yield renderer
    renderer.close()


def chart_of(kind: str, level: int, seed: int = 11) -> Chart:
    return generate(0, seed, kinds=[kind], levels=[level])


def digest(chart: Chart) -> str:
    content = [chart.spec, [(row.keys, row.value) for row in chart.table], chart.texts]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def rounded(rows: tuple[Row, ...]) -> Counter[tuple[object, ...]]:
    def near(x: object) -> object:
        return float(f"{x:.5g}") if isinstance(x, float) else x

    return Counter((*map(near, row.keys), near(row.value)) for row in rows)


def test_same_index_and_seed_give_the_same_chart() -> None:
    assert [digest(generate(i, 5)) for i in range(20)] == [
        digest(generate(i, 5)) for i in range(20)
    ]


@pytest.mark.slow
def test_a_chart_does_not_depend_on_the_process() -> None:
    code = (
        "import sys, hashlib; from inward_charts import generate;"
        "from inward_charts import matplotlib_png;"
        "print(*(repr(generate(i, 5).spec) + repr(generate(i, 5).table)"
        " + hashlib.sha256(matplotlib_png(generate(i, 5).figure)).hexdigest()"
        " for i in range(8)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_indices_and_seeds_give_different_charts() -> None:
    assert len({digest(generate(i, seed)) for i in range(100) for seed in (0, 1)}) == 200


def test_kinds_and_levels_take_turns() -> None:
    for turn in (0, 3):
        block = [generate(turn * len(PAIRS) + i, 2) for i in range(len(PAIRS))]
        assert sorted((c.kind, c.level) for c in block) == sorted(PAIRS)


def test_there_are_enough_kinds() -> None:
    wanted = {
        "bar", "bar_grouped", "bar_stacked", "line", "area", "scatter", "bubble", "arc",
        "heat_map", "box_plot", "histogram", "error_bars", "step", "facets", "layered", "dual_axis",
    }  # fmt: skip
    assert wanted <= set(KINDS)


@pytest.mark.parametrize(("kind", "level"), PAIRS)
def test_spec_passes_the_linter_and_draws_its_table_and_texts(
    kind: str, level: int, renderer: Renderer
) -> None:
    chart = chart_of(kind, level)
    lint(chart.spec)
    scene = renderer.render_sync(chart.spec).scene
    assert Counter(scene.texts) == Counter(chart.texts)
    drawn, told = rounded(scene.rows), rounded(chart.table)
    assert not drawn - told, "the picture shows numbers that the table lacks"
    # Marks wholly behind others, and bars of no height, are in the table but cannot be seen.
    assert (told - drawn).total() <= 0.1 * told.total()


@pytest.mark.parametrize(("kind", "level"), PAIRS)
def test_matplotlib_draws_the_same_texts(kind: str, level: int) -> None:
    chart = chart_of(kind, level)
    canvas = draw(chart.figure)
    found = [
        text.get_text()
        for text in canvas.findobj(lambda artist: hasattr(artist, "get_text"))
        if text.get_visible() and text.get_text()
    ]
    assert set(found) == set(chart.texts)


@pytest.mark.parametrize("kind", KINDS)
def test_matplotlib_draws_the_same_bytes_twice(kind: str) -> None:
    figure = chart_of(kind, 3).figure
    png = matplotlib_png(figure)
    assert png == matplotlib_png(figure)
    image = Image.open(io.BytesIO(png))
    assert all(100 < side < 1400 for side in image.size)


def test_matplotlib_share_changes_the_renderer_and_nothing_else() -> None:
    shares = {
        share: [generate(i, 3, matplotlib_share=share) for i in range(300)]
        for share in (0.0, 0.25, 1.0)
    }
    drawn = {
        share: sum(chart.renderer == "matplotlib" for chart in charts)
        for share, charts in shares.items()
    }
    assert (drawn[0.0], drawn[1.0]) == (0, 300)
    assert 45 <= drawn[0.25] <= 105
    assert [digest(chart) for chart in shares[0.0]] == [digest(chart) for chart in shares[1.0]]


def test_levels_grow() -> None:
    def mean(level: int, measure: str) -> float:
        charts = [generate(i, 4, levels=[level]) for i in range(3 * len(KINDS))]
        if measure == "rows":
            return float(np.mean([len(chart.table) for chart in charts]))
        labels = [(*c.figure.x.members, *c.figure.legend, *c.figure.panels) for c in charts]
        return float(np.mean([max(map(len, words)) for words in labels if words]))

    for measure in ("rows", "words"):
        assert mean(1, measure) < mean(2, measure) < mean(3, measure)


def test_hard_charts_have_gaps_long_labels_log_axes_and_dark_pages() -> None:
    charts = [generate(i, 6, levels=[3]) for i in range(10 * len(KINDS))]
    records = [r for c in charts for layer in c.figure.layers for r in layer.records]
    assert any(r.y is None and r.low is None for r in records)
    assert any(len(label) > 30 for c in charts for label in c.figure.x.members)
    assert any(c.figure.x.log for c in charts)
    assert any(c.figure.style.background < "#333333" for c in charts)
    formats = {json.dumps(c.spec).partition('"format": "')[2][:2] for c in charts}
    assert {"$.", ".0", ",."} & formats


def test_box_plot_table_is_tukeys() -> None:
    chart = chart_of("box_plot", 2)
    groups: dict[str, list[float]] = {}
    field = chart.figure.x.field
    for row in chart.spec["data"]["values"]:
        groups.setdefault(row[field], []).append(row[chart.figure.y.field])
    for name, sample in groups.items():
        q1, median, q3 = np.percentile(sample, (25, 50, 75))
        inside = [v for v in sample if q1 - 1.5 * (q3 - q1) <= v <= q3 + 1.5 * (q3 - q1)]
        expected = {q1, median, q3, min(inside), max(inside), *(set(sample) - set(inside))}
        told = {row.value for row in chart.table if row.keys == (meaning(name),)}
        assert np.allclose(sorted(told), sorted(expected))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"index": -1}, "index must be 0 or more, got -1"),
        ({"index": 0, "kinds": []}, "kinds must be some of"),
        ({"index": 0, "kinds": ["pie"]}, "got ('pie',)"),
        ({"index": 0, "levels": [4]}, "levels must be some of (1, 2, 3); got (4,)"),
        ({"index": 0, "matplotlib_share": 1.5}, "between 0 and 1, got 1.5"),
        ({"index": 0, "matplotlib_share": math.nan}, "between 0 and 1, got nan"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        generate(**arguments)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0, 97, 5, (0, 20, 40, 60, 80, 100)),
        (0, 0.83, 4, (0, 0.25, 0.5, 0.75, 1.0)),
        (-2.4, 3.1, 4, (-4, -2, 0, 2, 4)),
        (385, 612, 5, (350, 400, 450, 500, 550, 600, 650)),
    ],
)
def test_ticks_are_round_and_enclose(
    low: float, high: float, count: int, expected: tuple[float, ...]
) -> None:
    assert nice_ticks(low, high, count) == expected


@pytest.mark.parametrize(
    ("value", "spec", "expected"),
    [
        (1234.5, ",.1f", "1,234.5"),
        (-3, ".0f", "−3"),
        (-0.001, ".1f", "0.0"),
        (0.125, ".1%", "12.5%"),
        (2500, "$,.0f", "$2,500"),
        (750, SHORT, "750"),
        (1250, SHORT, "1.25k"),
        (3_000_000, SHORT, "3M"),
        (0, SHORT, "0"),
    ],
)
def test_numbers_are_written_as_d3_does(value: float, spec: str, expected: str) -> None:
    assert format_number(value, spec) == expected


def test_short_numbers_lose_nothing() -> None:
    assert shortens((0, 500, 1000))
    assert not shortens((0, 50, 100))
    assert not shortens((12345.6, 20000.0))
    assert format_date("2021-03-09", "%d %b %Y") == "09 Mar 2021"
