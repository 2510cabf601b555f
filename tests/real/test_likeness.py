"""A trained network's features as the likeness of charts: another renderer's picture of a chart is
nearer to it than any picture of another chart."""

from __future__ import annotations

import asyncio

import pytest
from inward_charts import generate, matplotlib_png
from inward_rewards.charts import shared_renderer
from inward_rewards.images import EmbeddingConfig, EmbeddingSimilarity
from support.efficientnet import EfficientNetLite0, weights_file
from support.pictures import picture

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]

KINDS = ("bar", "line", "arc", "scatter", "heat_map", "box_plot")


async def test_a_chart_is_likest_to_itself_drawn_elsewhere() -> None:
    pytest.importorskip("torch", reason="needs the groups models and real")
    file = weights_file()
    if file is None:
        pytest.skip("the weights are not installed (group `real`, and `models` for torch)")
    similarity = EmbeddingSimilarity(EmbeddingConfig(), embedder=EfficientNetLite0(file))
    charts = [generate(n, 5, kinds=[kind], levels=[1]) for n, kind in enumerate(KINDS)]
    originals = [(await shared_renderer().render(chart.spec)).png for chart in charts]
    redrawn = [matplotlib_png(chart.figure) for chart in charts]
    for number, original in enumerate(originals):
        found = await asyncio.gather(*(similarity(original, one) for one in redrawn))
        cosines = [likeness.cosine for likeness in found]
        blank = await similarity(original, picture(color="white"))
        assert max(cosines) == cosines[number], KINDS[number]
        assert blank.cosine < cosines[number], KINDS[number]
        assert (await similarity(original, original)).value == pytest.approx(1)
