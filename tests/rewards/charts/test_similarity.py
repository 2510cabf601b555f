"""Similarity without weights: bounds, order, and what pictures without a chart earn."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from inward_charts import generate
from inward_charts.figure import Figure
from inward_charts.mpl import matplotlib_png
from inward_rewards.charts.measures.similarity import Reference, chart_similarity
from PIL import Image, ImageDraw


def picture(figure: Figure) -> Image.Image:
    return Image.open(io.BytesIO(matplotlib_png(figure))).convert("RGB")


def figure_of(kind: str, level: int = 1, seed: int = 3) -> Figure:
    return generate(0, seed, kinds=[kind], levels=[level]).figure


def with_values(figure: Figure, change: Callable[[int, float], float]) -> Figure:
    (layer,) = figure.layers
    records = tuple(
        r if r.y is None else replace(r, y=change(i, r.y)) for i, r in enumerate(layer.records)
    )
    return replace(figure, layers=(replace(layer, records=records),))


BARS = figure_of("bar_grouped")
REFERENCE = picture(BARS)


def noise(size: tuple[int, int]) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def black_frame(size: tuple[int, int]) -> Image.Image:
    page = Image.new("RGB", size, "white")
    ImageDraw.Draw(page).rectangle((20, 20, size[0] - 20, size[1] - 20), outline="black", width=2)
    return page


@pytest.mark.parametrize("kind", ["bar", "line", "scatter", "arc", "heat_map", "facets"])
def test_a_picture_is_wholly_like_itself(kind: str) -> None:
    image = picture(figure_of(kind))
    found = chart_similarity(image, image)
    assert found.score == pytest.approx(1.0)
    assert found.box == (0.0, 0.0, 1.0, 1.0)
    assert (found.edges, found.layout, found.ink) == pytest.approx((1.0, 1.0, 1.0))
    assert found.palette == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("candidate", "most"),
    [
        pytest.param(Image.new("RGB", REFERENCE.size, "white"), 0.02, id="white page"),
        pytest.param(Image.new("RGB", REFERENCE.size, "black"), 0.02, id="black page"),
        pytest.param(Image.new("RGB", (1, 1), "#4c78a8"), 0.02, id="one pixel"),
        pytest.param(Image.new("RGBA", REFERENCE.size, (0, 0, 0, 0)), 0.02, id="transparent"),
        pytest.param(noise(REFERENCE.size), 0.25, id="noise"),
        pytest.param(black_frame(REFERENCE.size), 0.3, id="an empty frame"),
        pytest.param(picture(figure_of("arc", 2, 5)), 0.4, id="another chart"),
        pytest.param(picture(figure_of("scatter", 2, 5)), 0.4, id="one more"),
    ],
)
def test_what_is_not_the_chart_earns_little(candidate: Image.Image, most: float) -> None:
    assert 0 <= chart_similarity(REFERENCE, candidate).score <= most


def test_more_error_is_less_like() -> None:
    def scores(index: int) -> list[float]:
        figure = figure_of("scatter", 1, index)
        values = [r.y for r in figure.layers[0].records if r.y is not None]
        span, rng = max(values) - min(values), random.Random(index)
        signs = [rng.choice((-1, 1)) for _ in values]
        reference = picture(figure)
        return [
            chart_similarity(
                reference,
                picture(with_values(figure, lambda i, y, e=e: y + e * span * signs[i])),
            ).score
            for e in (0.0, 0.02, 0.1)
        ]

    means = np.mean([scores(index) for index in range(6)], axis=0)
    assert means[0] == pytest.approx(1.0)
    assert means[0] > means[1] > means[2]


def test_other_margins_are_found_and_cost_little() -> None:
    width, height = REFERENCE.size
    page = Image.new("RGB", (width + 60, height + 40), "white")
    page.paste(REFERENCE, (60, 0))
    found = chart_similarity(REFERENCE, page)
    assert found.score > 0.75
    assert found.box[0] < -0.05
    assert found.box[3] > 1.05


def test_a_missing_title_costs_less_than_wrong_numbers_and_they_less_than_another_mark() -> None:
    def score(figure: Figure) -> float:
        return chart_similarity(REFERENCE, picture(figure)).score

    values = [r.y for r in BARS.layers[0].records if r.y is not None]
    turned = score(with_values(BARS, lambda i, y: values[(i + 3) % len(values)]))
    (layer,) = BARS.layers
    points = score(replace(BARS, layers=(replace(layer, mark="point", stack="none"),)))
    assert 1 > score(replace(BARS, title=())) > turned > points > 0.02


def test_size_and_mode_do_not_matter() -> None:
    double = REFERENCE.resize((2 * REFERENCE.width, 2 * REFERENCE.height), Image.Resampling.LANCZOS)
    assert chart_similarity(REFERENCE, double).score > 0.9
    assert chart_similarity(REFERENCE, REFERENCE.convert("RGBA")).score == pytest.approx(1.0)
    assert chart_similarity(REFERENCE, REFERENCE.quantize(64)).score > 0.97
    assert chart_similarity(REFERENCE, np.asarray(REFERENCE)).score == pytest.approx(1.0)
    thin = REFERENCE.resize((1200, 12))
    assert 0 <= chart_similarity(thin, REFERENCE).score <= 1


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.float32),
    ],
)
def test_an_array_of_another_form_is_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\(height, width, 3\) array of uint8, got"):
        chart_similarity(REFERENCE, array)


def test_two_blank_pages_are_alike_and_nothing_is_nan() -> None:
    blank = Image.new("RGB", (300, 200), "white")
    assert chart_similarity(blank, blank).score == pytest.approx(1.0)
    assert chart_similarity(blank, REFERENCE).score < 0.02


def test_a_tint_of_one_step_does_not_change_the_palette_of_greys() -> None:
    def frame(colour: str) -> Image.Image:
        page = Image.new("RGB", (320, 240), "white")
        ImageDraw.Draw(page).rectangle((40, 40, 280, 200), fill=colour)
        return page

    grey = frame("#777777")
    for tint in ("#787777", "#777877", "#777778", "#767777", "#777677", "#777776"):
        assert chart_similarity(grey, frame(tint)).palette > 0.99


def test_a_reference_is_worked_out_once_for_many() -> None:
    known = Reference.of(REFERENCE)
    for kind in ("bar_grouped", "arc", "scatter"):
        candidate = picture(figure_of(kind, 2, 5))
        assert chart_similarity(known, candidate) == chart_similarity(REFERENCE, candidate)


def test_the_same_pictures_score_the_same() -> None:
    other = picture(figure_of("bar_grouped", 2, 8))
    assert chart_similarity(REFERENCE, other) == chart_similarity(REFERENCE, other)
