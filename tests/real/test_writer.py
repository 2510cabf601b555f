"""A small trained model as the writer of `redraw.type writer`.

It is too small to write a chart, mostly; that is measured and is no fault of the machine's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from inward_rewards.charts import shared_renderer
from inward_rewards.images import Canvas, RedrawError, WriterConfig, redraw_of

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

WORDS = 'A bar chart titled "Rain". "Oslo": 12, "Rome": 30.'
CANVAS = Canvas(600, 400, "task")


async def test_a_trained_model_writes(real: Any, tmp_path: Path) -> None:
    config = WriterConfig(
        model=real.model, base_url=real.base_url, max_tokens=200, retries=0, timeout=600
    )
    redrawn = await redraw_of(config, tmp_path)(WORDS, CANVAS)
    assert redrawn.metrics["undrawable"] == float(redrawn.spec is None)
    if redrawn.spec is None:
        assert redrawn.reason is not None
        assert redrawn.reason.startswith("the writer's specification was not drawn: ")
    else:
        assert (await shared_renderer().render(redrawn.spec)).png
    # The same from the cache.
    redraw_of.cache_clear()
    assert await redraw_of(config, tmp_path)(WORDS, CANVAS) == redrawn


async def test_a_context_that_is_too_short_is_the_servers_fault(real: Any) -> None:
    config = WriterConfig(model=real.model, base_url=real.base_url, max_tokens=1, retries=0)
    with pytest.raises(RedrawError, match=r"serve it with a longer context, or lower"):
        await redraw_of(config)("One bar. " * 6000, CANVAS)
