"""A loopback image generator that draws what a prompt says: bars of its numbers, in its colour."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from inward_chat.testing import HttpReply
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from support.images import ImageServer, png, reply

COLORS = re.compile(r"\b(navy|green|maroon|orange)\b")
NOISE = 0.01
"""Of the height: what the seed moves a bar's end by, at most."""


def foliage(width: int, height: int, seed: int) -> Image.Image:
    """Leaves of every size in greens: no flat place."""
    noise = np.random.default_rng(seed).normal(size=(height, width))
    leaves = [gaussian_filter(noise, size) for size in (1, 2, 4, 8)]
    shade = sum(one / one.std() for one in leaves)[..., None]
    pixels = np.array([70, 110, 50]) + shade * np.array([18, 24, 12])
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def bars(prompt: str, width: int, height: int, seed: int) -> Image.Image:
    image = Image.new("RGB", (width, height), "white")
    pen, chance = ImageDraw.Draw(image), random.Random(seed)
    values = [int(number) for number in re.findall(r"\d+", prompt)][:12]
    color = found[0] if (found := COLORS.search(prompt)) else "black"
    left, bottom = width // 10, height * 9 // 10
    pen.line((left, height // 10, left, bottom, width * 19 // 20, bottom), "gray", 2)
    for place, value in enumerate(values):
        if "at random" in prompt:
            value = chance.randrange(100)
        x = left + (width * 17 // 20) * (place + 0.2) / len(values)
        tall = height * (0.75 * min(value, 100) / 100 + chance.uniform(-NOISE, NOISE))
        right = x + width * 0.5 / len(values)
        pen.rectangle((x, bottom - max(1, tall), right, bottom - 1), color)
    return image


class Painter(ImageServer):
    """`ImageServer`, whose drawings are of what the prompt says."""

    def _answer(self, body: dict[str, Any]) -> Mapping[str, Any] | HttpReply:
        if self.fault is not None:
            return super()._answer(body)
        prompt, seed = body["prompt"], body["seed"]
        width, height = map(int, body["size"].split("x"))
        if "forbidden" in prompt:
            return HttpReply(400, {"error": {"code": "content_policy_violation"}})
        if "night" in prompt:
            return reply(png(Image.new("RGB", (width, height))))
        if "blank" in prompt:
            return reply(png(Image.new("RGB", (width, height), "white")))
        if "foliage" in prompt:
            return reply(png(foliage(width, height, seed)))
        return reply(png(bars(prompt, width, height, seed)))
