"""Pictures as they come out of a scanner, a JPEG file or a black-and-white printer."""

from __future__ import annotations

import io
import random
from typing import Literal, get_args

import numpy as np
from PIL import Image, ImageFilter, ImageOps

Noise = Literal["none", "jpeg", "grey", "scan"]
NOISES: tuple[Noise, ...] = get_args(Noise)

_QUALITY = {1: 70, 2: 45, 3: 25}
"""JPEG quality by level."""
_TILT = {1: 0.3, 2: 0.7, 3: 1.2}
"""Degrees by which a scanned page may be turned."""
_GRAIN = {1: 2.0, 2: 4.0, 3: 7.0}
"""Standard deviation of a scan's grain, in steps of 255."""
_BLUR = {1: 0.3, 2: 0.5, 3: 0.7}
"""Radius in pixels."""


def with_noise(png: bytes, noise: Noise, level: int, seed: int) -> bytes:
    """The picture as a PNG, worn in one way; the higher the level (1 to 3), the more.

    jpeg: artefacts of compression. grey: no colours, as from a black-and-white printer. scan:
    turned a little, on tinted paper, blurred, with grain and dust, and compressed. The same
    arguments give the same picture. Raises `ValueError` for an unknown noise or level.
    """
    if noise not in NOISES:
        raise ValueError(f"noise must be one of {', '.join(NOISES)}; got {noise!r}")
    if level not in _QUALITY:
        raise ValueError(f"level must be one of {tuple(_QUALITY)}; got {level!r}")
    if noise == "none":
        return png
    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGB")
    match noise:
        case "jpeg":
            image = _compressed(image, _QUALITY[level])
        case "grey":
            image = _compressed(ImageOps.grayscale(image), 95 - 10 * level).convert("RGB")
        case "scan":
            image = _scanned(image, level, seed)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _compressed(image: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out)


def _scanned(image: Image.Image, level: int, seed: int) -> Image.Image:
    rng = random.Random(f"scan/{seed}")
    grains = np.random.default_rng(rng.getrandbits(64))
    paper = tuple(255 - rng.randint(2, 6 * level) for _ in range(3))
    angle = rng.uniform(0.3, 1.0) * _TILT[level] * rng.choice((-1, 1))
    corner = image.getpixel((0, 0))
    assert isinstance(corner, tuple), "an RGB picture has three channels"
    page = ImageOps.expand(image, 12, corner)
    page = page.rotate(angle, Image.Resampling.BICUBIC, fillcolor=corner)
    page = page.filter(ImageFilter.GaussianBlur(_BLUR[level]))
    pixels = np.asarray(page).astype(np.float64) * (np.array(paper) / 255)
    height, width = pixels.shape[:2]
    # A lamp that shines less on one side.
    shade = 1 - 0.02 * level * np.linspace(0, 1, width)
    pixels *= (shade if rng.random() < 0.5 else shade[::-1])[None, :, None]
    pixels += grains.normal(0, _GRAIN[level], (height, width, 1))
    for _ in range(rng.randint(3, 10) * level):
        x, y = rng.randrange(width), rng.randrange(height)
        pixels[y : y + rng.randint(1, 2), x : x + rng.randint(1, 2)] = rng.randint(60, 200)
    worn = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return _compressed(worn, _QUALITY[level] + 20).convert("RGB")
