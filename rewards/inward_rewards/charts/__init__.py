"""Charts as rewards: a sandboxed Vega-Lite renderer and exact measures of what it drew.

    renderer = shared_renderer()
    rendered = await renderer.render(specification)
    rendered.png, rendered.scene.rows, rendered.scene.texts

Needs `pip install "inward-rewards[charts]"`.
"""

from inward_rewards.charts.errors import RendererDown, RenderError
from inward_rewards.charts.measures import (
    Match,
    Reference,
    chart_similarity,
    rms_f1,
    table_f1,
    table_matches,
    text_f1,
)
from inward_rewards.charts.page import COLORS, MAX_SIDE, as_shown
from inward_rewards.charts.reading import Key, Rendered, Row, Scene, meaning, unique_rows
from inward_rewards.charts.renderer import Renderer, shared_renderer
from inward_rewards.charts.score import Score
from inward_rewards.charts.specification import RULES

__all__ = [
    "COLORS",
    "MAX_SIDE",
    "RULES",
    "Key",
    "Match",
    "Reference",
    "RenderError",
    "Rendered",
    "Renderer",
    "RendererDown",
    "Row",
    "Scene",
    "Score",
    "as_shown",
    "chart_similarity",
    "meaning",
    "rms_f1",
    "shared_renderer",
    "table_f1",
    "table_matches",
    "text_f1",
    "unique_rows",
]
