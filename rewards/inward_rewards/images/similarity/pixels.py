"""A picture as a model's pixels: padded to a square, or as the source's experiment cropped it."""

from __future__ import annotations

import hashlib
import io
import random

import numpy as np
import numpy.typing as npt
from PIL import Image

from inward_rewards.images.errors import RedrawError

Pixels = npt.NDArray[np.float32]

THUMBNAIL = 224
SHORT_SIDE = 256
CROP = 224
TILES = 4
"""Per side, of a shuffled picture (arXiv 2403.07366 shuffles 4 x 4)."""
WHITE = (255, 255, 255)


def opened(picture: bytes) -> Image.Image:
    """RGB on white. RedrawError for what is no picture: those who draw check what they drew."""
    try:
        with Image.open(io.BytesIO(picture)) as image:
            rgba = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RedrawError(f"{len(picture)} bytes that should be a picture: {error}") from error
    white = Image.new("RGBA", rgba.size, (*WHITE, 255))
    return Image.alpha_composite(white, rgba).convert("RGB")


def padded(image: Image.Image, side: int) -> Image.Image:
    """The whole picture in the middle of a white square."""
    scale = side / max(image.size)
    size = [max(1, round(length * scale)) for length in image.size]
    small = image.resize((size[0], size[1]), Image.Resampling.BICUBIC)
    square = Image.new("RGB", (side, side), WHITE)
    square.paste(small, ((side - small.width) // 2, (side - small.height) // 2))
    return square


def cropped(image: Image.Image) -> Image.Image:
    """The source's: a thumbnail of at most 224 pixels, then DINOv2's own processor (shorter side
    256, middle 224 x 224)."""
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    width, height = small.size
    if width < height:
        size = (SHORT_SIDE, int(SHORT_SIDE * height / width))
    else:
        size = (int(SHORT_SIDE * width / height), SHORT_SIDE)
    big = small.resize(size, Image.Resampling.BICUBIC)
    left, top = (big.width - CROP) // 2, (big.height - CROP) // 2
    return big.crop((left, top, left + CROP, top + CROP))


def normalised(image: Image.Image, mean: list[float], std: list[float]) -> Pixels:
    """(3, height, width)"""
    pixels = np.asarray(image, dtype=np.float32) / 255
    scaled = (pixels - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def shuffled(picture: bytes) -> bytes:
    """A PNG of the picture's tiles in another order, which is the same each time."""
    image = opened(picture)
    xs = [round(n * image.width / TILES) for n in range(TILES + 1)]
    ys = [round(n * image.height / TILES) for n in range(TILES + 1)]
    boxes = [(xs[c], ys[r], xs[c + 1], ys[r + 1]) for r in range(TILES) for c in range(TILES)]
    order = boxes.copy()
    random.Random(hashlib.sha256(picture).hexdigest()).shuffle(order)
    mixed = Image.new("RGB", image.size, WHITE)
    for target, source in zip(boxes, order, strict=True):
        size = (target[2] - target[0], target[3] - target[1])
        if min(size) > 0 and source[0] < source[2] and source[1] < source[3]:
            mixed.paste(image.crop(source).resize(size), target)
    out = io.BytesIO()
    mixed.save(out, "PNG")
    return out.getvalue()
