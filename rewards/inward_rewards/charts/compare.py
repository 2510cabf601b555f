"""One chart against the chart it should be. Runs in the worker only."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image

from .agreement import encoding_agreement, mark_agreement
from .page import as_shown
from .rms import rms_f1
from .scene import Rendered, Scene
from .score import Score
from .similarity import Reference, chart_similarity
from .table import table_f1
from .text import text_f1


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
