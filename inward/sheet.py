"""A contact sheet: the pictures of a run, each original beside what the reply draws, as one PNG."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import verifiers.v1 as vf

from inward import eval_plugin
from inward.errors import UserError
from inward.eval_plugin import EvalPlugin
from inward.runs import Rollout, Run
from inward.terminal import one_line

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_ROLLOUTS = 60
SIDE = 300
"""Pixels of a picture, at most, either way."""
COLUMNS = 3
CAPTION = 18
GAP = 8
MAX_PIXELS = 40_000_000
"""Of a picture that is opened: more is no chart."""


def write_sheet(run: Run, file: Path) -> str:
    """Write the sheet, and return a line about it.

    What a reply draws is the business of its environment: its eval plugin says.

    Where the run has more than `MAX_ROLLOUTS` rollouts with a picture, as many are taken at equal
    distances. Raises `UserError` where no rollout has one, or the file cannot be written.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise UserError("a sheet needs Pillow: pip install 'inward[charts]'") from error
    found = [
        (number, rollout)
        for number, rollout in enumerate(run.rollouts)
        if rollout.trace is not None and original(rollout.trace) is not None
    ]
    if not found:
        raise UserError("no rollout of the run has a picture in its prompt: it has no sheet")
    taken = min(len(found), MAX_ROLLOUTS)
    chosen = [found[place * len(found) // taken] for place in range(taken)]
    plugin = eval_plugin.find(run.environment) if run.environment else None
    width, height = 2 * SIDE + 3 * GAP, SIDE + CAPTION + 2 * GAP
    columns = min(COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "#e8e8e8")
    for place, (number, rollout) in enumerate(chosen):
        row, column = divmod(place, columns)
        cell = _cell(number, rollout, plugin, (width, height))
        sheet.paste(cell, (column * width, row * height))
    try:
        sheet.save(file, "PNG")
    except OSError as error:
        raise UserError(f"cannot write {str(file)!r}: {error}") from error
    of = f" of {len(found)}, at equal distances" if len(found) > len(chosen) else ""
    return f"{len(chosen)} rollouts{of}, each original beside what the reply draws: {file}"


def original(trace: vf.WireTrace) -> bytes | None:
    """The first picture of the prompt; None without one that travels in the prompt itself."""
    for message in trace.messages:
        if not isinstance(message, vf.UserMessage) or not isinstance(message.content, list):
            continue
        for part in message.content:
            if isinstance(part, vf.ImageUrlContentPart):
                return _decoded(part.image_url.url)
    return None


def _decoded(url: str) -> bytes | None:
    head, comma, body = url.partition(",")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        return None
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        return None


def _cell(number: int, rollout: Rollout, plugin: EvalPlugin | None, size: tuple[int, int]) -> Image:
    from PIL import Image, ImageDraw

    trace = rollout.trace
    assert trace is not None  # it has a picture
    cell = Image.new("RGB", size, "white")
    write = ImageDraw.Draw(cell)
    write.rectangle((0, 0, size[0] - 1, size[1] - 1), outline="#c0c0c0")
    drawn = plugin.drawing(trace) if plugin and plugin.drawing else None
    for column, picture in enumerate((original(trace), drawn)):
        left, top = GAP + column * (SIDE + GAP), GAP + CAPTION
        shown = _thumbnail(picture)
        if shown is None:
            write.rectangle((left, top, left + SIDE, top + SIDE), outline="#c0c0c0")
            write.text(
                (left + GAP, top + GAP), "nothing drawn" if column else "no picture", "black"
            )
        else:
            cell.paste(shown, (left, top))
    score = f"reward {trace.reward:.3f}" if rollout.ok else "failed"
    name = trace.task.data.id or trace.task.data.name or f"task {trace.task.data.idx}"
    caption = one_line(f"{number}  {name}  {score}").encode("latin-1", "replace").decode("latin-1")
    write.text((GAP, GAP // 2), caption[:90], "black")
    return cell


def _thumbnail(picture: bytes | None) -> Any:
    """At most `SIDE` pixels either way, on white; None for what is no picture."""
    from PIL import Image, UnidentifiedImageError

    if picture is None:
        return None
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                return None
            image = opened.convert("RGBA")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError):
        return None
    image.thumbnail((SIDE, SIDE))
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white
