"""Pictures on their way to the policy: shrunk once, kept small, sent as data URLs."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

from inward_rewards.charts.page import on_white
from PIL import Image, UnidentifiedImageError

MAX_SIDE = 768
"""Pixels of the longer side."""
COLORS = 256
"""Of the palette: it halves the file, which every trace holds three times. At 64, a heat map's own
picture scores .95."""
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})
PREFIX = "data:image/png;base64,"


def shrunk(picture: bytes) -> bytes:
    """The picture as the policy sees it: a PNG of at most 768 pixels and 256 colours, on white."""
    with Image.open(io.BytesIO(picture)) as opened:
        image = on_white(opened)
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return _png(image.quantize(COLORS, dither=Image.Dither.NONE))


def side_by_side(left: bytes, right: bytes) -> bytes:
    """Two pictures in one, at their own sizes."""
    with Image.open(io.BytesIO(left)) as a, Image.open(io.BytesIO(right)) as b:
        first, second = a.convert("RGB"), b.convert("RGB")
    gap = 16
    size = (first.width + gap + second.width, max(first.height, second.height))
    both = Image.new("RGB", size, "#808080")
    both.paste(first, (0, 0))
    both.paste(second, (first.width + gap, 0))
    return _png(both.quantize(COLORS, dither=Image.Dither.NONE))


def data_url(png: bytes) -> str:
    return PREFIX + base64.b64encode(png).decode()


def from_data_url(url: str) -> bytes:
    return base64.b64decode(url.removeprefix(PREFIX))


def of_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and picture of each image file in a folder, by name.

    Raises `ValueError` for a file that is no image, or a folder without any.
    """
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    if not files:
        raise ValueError(f"no image in {str(folder)!r}: put {', '.join(sorted(SUFFIXES))} there")
    for file in files:
        try:
            yield file.name, shrunk(file.read_bytes())
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
            raise ValueError(f"{str(file)!r} is no usable image: {error}") from error


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
