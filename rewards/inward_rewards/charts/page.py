"""A picture as a person sees it: on a white page, in eight bits a channel."""

from __future__ import annotations

from PIL import Image


def on_white(image: Image.Image) -> Image.Image:
    """The picture in RGB; transparent parts are white, greys of 16 bits keep their shades."""
    if image.mode.startswith("I"):
        # Pillow would cut them off at 255.
        image = image.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        page = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(page, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")
