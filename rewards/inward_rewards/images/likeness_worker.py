"""The program of the processes that compare drawings (`inward_rewards.sandbox`)."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from inward_rewards.charts import as_shown, chart_similarity
from inward_rewards.charts.compare import reference_of
from inward_rewards.sandbox import Message


def prepare() -> None:
    pass


def start() -> None:
    pass


def answer(header: dict[str, Any], blobs: list[bytes]) -> Message:
    """`likeness` of the second picture to the first."""
    reference, candidate = blobs
    with Image.open(io.BytesIO(candidate)) as drawing:
        found = chart_similarity(reference_of(reference), as_shown(drawing))
    return {"likeness": found.score}, []
