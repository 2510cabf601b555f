"""One chart against the chart it should be. Runs in the worker only."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image

from inward_rewards.charts.measures import (
    Reference,
    chart_similarity,
    encoding_agreement,
    mark_agreement,
    rms_f1,
    table_f1,
    text_f1,
)
from inward_rewards.charts.page import as_shown
from inward_rewards.charts.reading import Rendered, Scene
from inward_rewards.charts.score import Score


@lru_cache(maxsize=64)
def reference_of(picture: bytes) -> Reference:
    """What is compared of a PNG.

    Kept, under 1 MB each: a group's rollouts, and every revision, come to the same picture.
    """
    with Image.open(io.BytesIO(picture)) as original:
        return Reference.of(as_shown(original))


def compare(drawn: Rendered, reference: Reference, truth: Scene | None) -> Score:
    """`drawn` against a picture and, where it is known, the scene behind it."""
    with Image.open(io.BytesIO(drawn.png)) as candidate:
        similarity = chart_similarity(reference, as_shown(candidate)).score
    if truth is None:
        return Score(similarity, None, None, None, None, None)
    scene = drawn.scene
    return Score(
        similarity=similarity,
        table=table_f1(truth.rows, scene.rows).f1,
        text=text_f1(truth.texts, scene.texts),
        rms=rms_f1(truth.rows, scene.rows),
        marks=mark_agreement(truth.marks, scene.marks),
        encodings=encoding_agreement(truth.encodings, scene.encodings),
    )
