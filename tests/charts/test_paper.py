"""Charts as papers have them: what is told of them is what their specification draws."""

from __future__ import annotations

import io
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from inward_charts import (
    LEVELS,
    NOISES,
    PAPER_KINDS,
    TABLE,
    Chart,
    Figure,
    Sheet,
    generate,
    matplotlib_png,
    with_noise,
)
from inward_charts.figure import Axis, ticks
from inward_charts.mpl import draw
from inward_charts.mpl.pen import raised
from inward_charts.numbers import power_of_ten
from inward_rewards.charts import Renderer, Row, table_f1
from PIL import Image

# The slow test below draws the others, over several seeds.
HARD = [(kind, max(LEVELS)) for kind in PAPER_KINDS]


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    renderer = Renderer(workers=2)
    yield renderer
    renderer.close()


def chart_of(kind: str, level: int, seed: int = 11) -> Chart:
    return generate(0, seed, kinds=[kind], levels=[level])


def figures(chart: Chart) -> tuple[Figure, ...]:
    return chart.figure.figures if isinstance(chart.figure, Sheet) else (chart.figure,)


def rounded(rows: tuple[Row, ...]) -> Counter[tuple[object, ...]]:
    def near(x: object) -> object:
        return float(f"{x:.5g}") if isinstance(x, float) else x

    return Counter((*map(near, row.keys), near(row.value)) for row in rows)


@pytest.mark.parametrize(("kind", "level"), HARD)
def test_the_specification_draws_the_table_and_the_texts(
    kind: str, level: int, renderer: Renderer
) -> None:
    chart = chart_of(kind, level)
    scene = renderer.render_sync(chart.spec).scene
    assert Counter(scene.texts) == Counter(chart.texts)
    assert not rounded(scene.rows) - rounded(chart.table), "numbers that the table lacks"
    # What lies under other marks is in the table and cannot be seen: ends of bands, mostly.
    assert table_f1(scene.rows, chart.table).f1 >= (0.96 if kind == "curves_bands" else 0.98)


@pytest.mark.slow
def test_the_table_is_drawn_in_every_kind(renderer: Renderer) -> None:
    found: dict[str, list[float]] = {}
    for kind, level, seed in itertools.product(PAPER_KINDS, LEVELS, range(2)):
        chart = chart_of(kind, level, seed)
        scene = renderer.render_sync(chart.spec).scene
        assert Counter(scene.texts) == Counter(chart.texts), (kind, level, seed)
        found.setdefault(kind, []).append(table_f1(scene.rows, chart.table).f1)
    means = {kind: float(np.mean(scores)) for kind, scores in found.items()}
    assert min(mean for kind, mean in means.items() if kind != "curves_bands") >= 0.99, means
    assert means["curves_bands"] >= 0.97


@pytest.mark.parametrize("kind", PAPER_KINDS)
def test_matplotlib_draws_the_same_texts(kind: str) -> None:
    for figure in figures(chart_of(kind, 2)):
        shown = {
            text.get_text()
            for text in draw(figure).findobj(lambda artist: hasattr(artist, "get_text"))
            if text.get_visible() and text.get_text()
        }
        told = Chart(figure, "matplotlib").texts
        assert shown == {raised(text) for text in told}


@pytest.mark.parametrize("kind", PAPER_KINDS)
def test_matplotlib_draws_the_same_bytes_twice(kind: str) -> None:
    figure = chart_of(kind, 3).figure
    assert matplotlib_png(figure) == matplotlib_png(figure)


def test_papers_show_every_variation() -> None:
    """Each variation comes in a hundred charts."""
    charts = [generate(i, 5, kinds=PAPER_KINDS) for i in range(100)]
    drawn = [(chart, figure) for chart in charts for figure in figures(chart)]
    looks = [figure.style for _, figure in drawn]
    assert {len(figures(c)) for c in charts if c.kind == "panels"} == {2, 3, 4}
    assert any(f.x.log and f.y.log for _, f in drawn)
    assert any(f.y.symlog for _, f in drawn)
    assert {note.sort for _, f in drawn for note in f.notes} == {"level", "moment", "span", "words"}
    assert {"direct", "right", "top-left", "top-right"} <= {look.legend for look in looks}
    assert any(look.dashed for look in looks)
    assert any(look.shaped for look in looks)
    assert any(look.hatched for look in looks)
    assert any("10^-3" in text for c in charts for text in c.texts)
    assert max(len(c.table) for c in charts) > 400


def test_every_kind_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "charts/README.md").read_text()
    for kind in TABLE.values():
        assert f"| `{kind.name}` | {kind.family} | {kind.shows} |" in readme


def test_weights_say_how_often_a_kind_comes_in_a_turn() -> None:
    turn = sum(TABLE[kind].weight for kind in PAPER_KINDS) * len(LEVELS)
    found = Counter(
        (c.kind, c.level) for c in (generate(i, 2, kinds=PAPER_KINDS) for i in range(turn))
    )
    assert found == {(k, level): TABLE[k].weight for k in PAPER_KINDS for level in LEVELS}


def test_ticks_of_powers_of_ten() -> None:
    log = ticks(Axis("", "", "number", style="power", log=True), [0.002, 40.0])
    assert log.labels == ("10^-3", "10^-2", "10^-1", "10^0", "10^1", "10^2")
    both = ticks(Axis("", "", "number", style="power", symlog=1.0), [-35.0, 400.0])
    assert both.values == (-100, -10, 0, 10, 100, 1000)
    assert both.labels[0] == power_of_ten(-100.0) == "-10^2"


def test_exponents_are_raised_and_money_is_left_alone() -> None:
    assert raised("10^-3 s^-1") == "10$^{-3}$ s$^{-1}$"
    assert raised("$2,500") == "$2,500"


@pytest.mark.parametrize("noise", NOISES)
def test_noise_wears_the_picture_the_same_way_twice(noise: str) -> None:
    png = matplotlib_png(chart_of("curves_log", 1).figure)
    worn = [with_noise(png, noise, level, 3) for level in LEVELS]
    assert worn == [with_noise(png, noise, level, 3) for level in LEVELS]
    pixels = [np.asarray(Image.open(io.BytesIO(w)).convert("RGB")).astype(int) for w in worn]
    if noise == "none":
        assert worn == [png] * 3
        return
    assert len(set(worn)) == 3
    spread = pixels[0].max(axis=2) - pixels[0].min(axis=2)
    assert (spread.max() == 0) == (noise == "grey")
    assert (with_noise(png, noise, 1, 3) != with_noise(png, noise, 1, 4)) == (noise == "scan")


def test_noise_changes_the_picture_and_nothing_else() -> None:
    plain = [generate(i, 3) for i in range(40)]
    worn = [generate(i, 3, noise_share=0.5) for i in range(40)]
    assert [c.figure for c in plain] == [c.figure for c in worn]
    assert {c.noise for c in plain} == {"none"}
    assert {c.noise for c in worn} == set(NOISES)


def test_unknown_noise_is_refused() -> None:
    with pytest.raises(ValueError, match="got 'fax'"):
        with_noise(b"", "fax", 1, 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="got 4"):
        with_noise(b"", "scan", 4, 0)
    with pytest.raises(ValueError, match="noise_share must lie between 0 and 1, got 2"):
        generate(0, noise_share=2)
