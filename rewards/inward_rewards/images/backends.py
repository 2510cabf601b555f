"""The backend of a config."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from inward_rewards.images.config import (
    DiffusersConfig,
    ImagesConfig,
    PlainConfig,
    RedrawConfig,
    WriterConfig,
)
from inward_rewards.images.plain_redraw import PlainRedraw
from inward_rewards.images.redraw import Redraw


@cache
def redraw_of(config: RedrawConfig, folder: Path | None = None) -> Redraw:
    """The backend of `config`, one per process: its rollouts share requests, model and cache.

    `folder` keeps what was drawn over runs; None: nothing is kept. Raises `ImportError` with the
    command that installs what is missing, or `ValueError` for a key that is not set.
    """
    # Imported where it is chosen: each brings libraries that the others do not need.
    match config:
        case PlainConfig():
            return PlainRedraw()
        case WriterConfig():
            from inward_rewards.images.writer import WriterRedraw

            return WriterRedraw(config, folder)
        case ImagesConfig():
            from inward_rewards.images.endpoint import ImagesRedraw

            return ImagesRedraw(config, folder)
        case DiffusersConfig():
            from inward_rewards.images.pipeline import DiffusersRedraw

            return DiffusersRedraw(config, folder)
