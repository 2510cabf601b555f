"""Pictures on their way to the policy: shrunk once, kept small, sent as data URLs."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from inward_rewards.charts import COLORS, as_shown
from PIL import Image, ImageOps, UnidentifiedImageError

logger = logging.getLogger("verifiers.v1.inward_charts")

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})
PREFIX = "data:image/png;base64,"


def shrunk(picture: bytes) -> bytes:
    """The picture as the policy sees it: a PNG of at most 768 pixels and 256 colours, on white.

    It is turned the way its camera held it (EXIF).
    """
    with Image.open(io.BytesIO(picture)) as opened:
        image = as_shown(ImageOps.exif_transpose(opened))
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


def request_picture(body: Mapping[str, Any]) -> bytes:
    """The first picture of a chat-completions request. StopIteration where it has none."""
    return next(
        from_data_url(part["image_url"]["url"])
        for message in body["messages"]
        if isinstance(message["content"], list)
        for part in message["content"]
        if part["type"] == "image_url"
    )


def picture_of(file: Path) -> bytes:
    """A file as the policy sees it. Raises `ValueError`, naming the file, for one that is no
    image."""
    try:
        return shrunk(file.read_bytes())
    except UnidentifiedImageError as error:
        raise ValueError(f"{str(file)!r} is no image that Pillow can read") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{str(file)!r} is no usable image: {error}") from error


def folder_pictures(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and picture of each image file in a folder, by name.

    What cannot be a picture there (a hidden file, a folder, an empty file, a dangling link) is
    passed over, with one warning. Raises `ValueError`, naming the file, for a file that is no
    image, or for a folder without any.
    """
    named = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    files = [file for file in named if _may_be_picture(file)]
    if len(files) < len(named):
        skipped = [file.name for file in named if file not in files]
        logger.warning(
            "%d of %d files in %s passed over, being hidden, empty, folders or dangling links: %s",
            *(len(skipped), len(named), folder, ", ".join(skipped[:5])),
        )
    if not files:
        raise ValueError(f"no image in {str(folder)!r}: put {', '.join(sorted(SUFFIXES))} there")
    for file in files:
        yield file.name, picture_of(file)


def _may_be_picture(file: Path) -> bool:
    return not file.name.startswith(".") and file.is_file() and file.stat().st_size > 0


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
