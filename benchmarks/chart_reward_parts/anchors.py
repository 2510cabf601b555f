"""The similarities of the field, each as (reference, candidate) -> a number that grows with it.

SSIM and HOG are scikit-image's, MS-SSIM is sewar's, pHash is ImageHash's. They need pictures of one
size: the candidate is resized to the reference, whose longer side is made 224 pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import imagehash
import numpy as np
import numpy.typing as npt
from inward_rewards.charts import chart_similarity
from PIL import Image
from sewar.full_ref import msssim
from skimage.feature import hog
from skimage.metrics import structural_similarity

Metric = Callable[[Image.Image, Image.Image], float]
Grey = npt.NDArray[np.uint8]
SIDE = 224
SMALLEST = 176
"""Least side of a picture with five scales and a window of 11 pixels."""


def ours(reference: Image.Image, candidate: Image.Image) -> float:
    return chart_similarity(reference, candidate).score


def ssim(reference: Image.Image, candidate: Image.Image) -> float:
    a, b = _grey(reference, candidate)
    return float(structural_similarity(a, b, data_range=255))


def ms_ssim(reference: Image.Image, candidate: Image.Image) -> float:
    a, b = _grey(reference, candidate, SMALLEST)
    # A negative covariance makes sewar's product of powers complex.
    return float(np.real(msssim(a, b, MAX=255)))


def phash(reference: Image.Image, candidate: Image.Image) -> float:
    a, b = (imagehash.phash(picture) for picture in (reference, candidate))
    return float(1 - (a - b) / a.hash.size)


def hog_cosine(reference: Image.Image, candidate: Image.Image) -> float:
    a, b = (
        hog(grey, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2))
        for grey in _grey(reference, candidate)
    )
    # Not as a product of vectors: a threaded BLAS is slower at it.
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm else float(not a.any() and not b.any())


def _grey(reference: Image.Image, candidate: Image.Image, least: int = 32) -> tuple[Grey, Grey]:
    scale = SIDE / max(reference.size)
    width, height = (max(least, round(side * scale)) for side in reference.size)
    a, b = (
        np.asarray(picture.convert("L").resize((width, height), Image.Resampling.LANCZOS))
        for picture in (reference, candidate)
    )
    return a, b


METRICS: dict[str, Metric] = {
    "chart_similarity": ours,
    "SSIM": ssim,
    "MS-SSIM": ms_ssim,
    "pHash": phash,
    "HOG": hog_cosine,
}
