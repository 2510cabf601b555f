"""A picture as a person sees it, on a white page, and as a policy does, of a bounded size."""

from __future__ import annotations

from PIL import Image

MAX_SIDE = 768
"""Pixels of the longer side."""
COLORS = 256
"""Of the palette: it halves the file, which every trace holds three times. At 64, a heat map's own
picture scores .95."""


def as_shown(image: Image.Image) -> Image.Image:
    """At most 768 pixels and 256 colours, in RGB; a picture that is so already stays as it is.

    Both sides of a comparison go through it: a chart is not unlike itself for being large.
    """
    page = on_white(image)
    page.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    if page.getcolors(COLORS) is not None:
        return page
    return page.quantize(COLORS, dither=Image.Dither.NONE).convert("RGB")


def on_white(image: Image.Image) -> Image.Image:
    """The picture in RGB; transparent parts are white, greys of 16 bits keep their shades."""
    if image.mode.startswith("I"):
        # Pillow would cut them off at 255.
        image = image.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        page = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(page, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")
