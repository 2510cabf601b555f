"""Small pictures."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw


def picture(width: int = 200, height: int = 100, color: str = "red") -> bytes:
    """The PNG of a coloured rectangle on white."""
    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).rectangle((20, 20, width // 2, height // 2), fill=color)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
