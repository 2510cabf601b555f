"""Descriptions of charts drawn again, and how like the drawing is.

    redrawn = await PlainRedraw()('A bar chart titled "Rain". Oslo: 12, Rome: 30.')
    rendered = await shared_renderer().render(redrawn.spec)

Needs `pip install "inward-rewards[charts]"`.
"""

from inward_rewards.images.plain import PlainChart, read, specification, without_code
from inward_rewards.images.redraw import PlainConfig, PlainRedraw, Redrawn
from inward_rewards.images.similarity import (
    EmbeddingConfig,
    EmbeddingError,
    EmbeddingSimilarity,
    Likeness,
)

__all__ = [
    "EmbeddingConfig",
    "EmbeddingError",
    "EmbeddingSimilarity",
    "Likeness",
    "PlainChart",
    "PlainConfig",
    "PlainRedraw",
    "Redrawn",
    "read",
    "specification",
    "without_code",
]
