"""Descriptions of charts drawn again, and how like the drawing is.

    redraw = redraw_of(WriterConfig(model="qwen", base_url="http://127.0.0.1:8000/v1"))
    redrawn = await redraw('A bar chart titled "Rain". Oslo: 12, Rome: 30.', Canvas.of(png))
    rendered = await shared_renderer().render(redrawn.spec)

Needs `pip install "inward-rewards[images]"`; embeddings in this process, `inward-rewards[vision]`.
"""

from inward_rewards.images.backends import redraw_of
from inward_rewards.images.config import (
    DiffusersConfig,
    ImagesConfig,
    PlainConfig,
    ReaderConfig,
    RedrawConfig,
    StrictModel,
    WriterConfig,
)
from inward_rewards.images.drawings import drawing
from inward_rewards.images.errors import RedrawError
from inward_rewards.images.likeness import drawing_likeness
from inward_rewards.images.plain import PlainChart, read, specification, without_code
from inward_rewards.images.plain_redraw import PlainRedraw
from inward_rewards.images.questions import TOLERANCE, Question, answers_of, questions_of
from inward_rewards.images.questions_reader import Answered, Reader, reader_of
from inward_rewards.images.redraw import Canvas, Redraw, Redrawn
from inward_rewards.images.similarity import (
    EmbeddingConfig,
    EmbeddingSimilarity,
    Likeness,
    similarity_of,
)

__all__ = [
    "TOLERANCE",
    "Answered",
    "Canvas",
    "DiffusersConfig",
    "EmbeddingConfig",
    "EmbeddingSimilarity",
    "ImagesConfig",
    "Likeness",
    "PlainChart",
    "PlainConfig",
    "PlainRedraw",
    "Question",
    "Reader",
    "ReaderConfig",
    "Redraw",
    "RedrawConfig",
    "RedrawError",
    "Redrawn",
    "StrictModel",
    "WriterConfig",
    "answers_of",
    "drawing",
    "drawing_likeness",
    "questions_of",
    "read",
    "reader_of",
    "redraw_of",
    "similarity_of",
    "specification",
    "without_code",
]
