from __future__ import annotations

from collections.abc import Iterator

import pytest
from inward_rewards.charts.renderer import Renderer


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    made = Renderer(workers=2)
    yield made
    made.close()
