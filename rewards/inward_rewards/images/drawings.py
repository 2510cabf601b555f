"""What both image generators share: sizes, seeds, the cut of the prompt, and what is kept."""

from __future__ import annotations

import asyncio
import hashlib
import io
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from inward_rewards.charts.cache import Cache
from inward_rewards.images.config import GeneratorConfig
from inward_rewards.images.kept import Kept, name_of, read
from inward_rewards.images.prompts import printable
from inward_rewards.images.redraw import Canvas, Redrawn
from inward_rewards.images.server import Refused
from inward_rewards.sandbox import Message

VERSION = 1
"""Raised whenever another drawing comes out of the same configuration and description."""
MULTIPLE = 32
"""Of pixels: sides that every generator can draw."""
LONGEST = 4.0
"""Longer side to shorter side, at most: beyond it generators draw patterns."""
BLACK = 8
"""Of 255: a picture without a brighter channel is black. Some filters of content return it."""

Cut = Callable[[str, int], tuple[str, int]]
"""Text, number of tokens -> the part that an encoder reads, and how many tokens are left out."""


@dataclass(frozen=True)
class Order:
    """One drawing to make."""

    prompt: str
    width: int
    height: int
    steps: int
    guidance: float
    seed: int


class UnfitPictureError(ValueError):
    """What should be a drawing is none; the message says why."""


class Drawings:
    """The `k` drawings of a description, each made by `draw` or found in the cache.

    `draw` gives a PNG, or None for one that is all black, or raises `Refused` where a content
    policy refuses the description.

    Metrics: `refused`, the share of the drawings that were refused or are all black, and
    `prompt_cut_tokens`, how many tokens the encoder does not read.
    """

    def __init__(
        self,
        config: GeneratorConfig,
        draw: Callable[[Order], Awaitable[bytes | None]],
        folder: Path | None,
        concurrency: int,
    ) -> None:
        self._config, self._draw = config, draw
        self._kept = Kept("drawings", folder, concurrency)

    async def of(
        self, description: str, canvas: Canvas, cut: Cut, identity: dict[str, Any]
    ) -> Redrawn:
        """`identity` is what changes a drawing beside config and description."""
        settings = self._config.settings
        prompt, left_out = cut(printable(description), int(settings["prompt_tokens"]))
        metrics = {"refused": 0.0, "prompt_cut_tokens": float(left_out)}
        if not prompt:
            return Redrawn(reason="the description is empty", metrics=metrics)
        width, height = size(canvas, self._config.megapixels, square=self._config.legacy)
        orders = [
            Order(
                prompt,
                width,
                height,
                int(settings["steps"]),
                settings["guidance"],
                seed(canvas.key, self._config.seed, number),
            )
            for number in range(self._config.k)
        ]
        identity = {
            **identity,
            "version": VERSION,
            "model": self._config.model,
            "revision": self._config.revision,
        }
        keys = [{**identity, **vars(order)} for order in orders]
        works = [partial(self._made, order) for order in orders]
        made = await asyncio.gather(*map(self._kept.ask, keys, works))
        pictures = tuple(blobs[0] if blobs else None for _, blobs in made)
        metrics["refused"] = pictures.count(None) / len(pictures)
        return Redrawn(
            pictures=pictures if any(pictures) else (),
            reason=None if any(pictures) else made[0][0]["refused"],
            metrics=metrics,
            record={"drawings": [name_of(key) for key in keys]},
        )

    async def _made(self, order: Order) -> Message:
        try:
            picture = await self._draw(order)
        except Refused as refused:
            return {"refused": f"refused: {refused}"}, []
        if picture is None:
            return {"refused": "the drawing is all black"}, []
        return {"refused": None}, [picture]


def drawing(name: str, folder: Path) -> bytes | None:
    """A drawing of the cache, by the name that a trace keeps; None where it is not there."""
    found = read(Cache(folder), name)
    return found[1][0] if found and found[1] else None


def size(canvas: Canvas, megapixels: float, *, square: bool) -> tuple[int, int]:
    """Width and height in pixels: about `megapixels` x 2^20, in the canvas's ratio or 1:1."""
    ratio = 1.0 if square else canvas.width / canvas.height
    root = math.sqrt(min(max(ratio, 1 / LONGEST), LONGEST))
    side = 1024 * math.sqrt(megapixels)
    width, height = (max(1, round(length / MULTIPLE)) for length in (side * root, side / root))
    return width * MULTIPLE, height * MULTIPLE


def seed(task: str, run: int, number: int) -> int:
    """Of drawing `number` of a task, in [0, 2^31): the same for all its rollouts."""
    digest = hashlib.sha256(f"{task} {run} {number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF


def checked(data: bytes, width: int, height: int) -> bytes | None:
    """A generator's picture as a PNG; None where it is all black.

    Raises `UnfitPictureError` where it is no picture, or has another size than it should.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
            # Before a pixel is made.
            if image.size != (width, height):
                raise UnfitPictureError(
                    f"asked for {width} x {height} pixels, got {image.width} x {image.height}"
                )
            form, pixels = image.format, image.convert("RGB")
    except UnfitPictureError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnfitPictureError(f"{len(data)} bytes that are no whole picture: {error}") from error
    if pixels.point(lambda value: 255 * (value > BLACK)).getbbox() is None:
        return None
    if form == "PNG":
        return data
    out = io.BytesIO()
    pixels.save(out, "PNG")
    return out.getvalue()
