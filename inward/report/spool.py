"""What the page will show of rollouts, made while their lines are read and kept in a temporary
file. Most runs fit into it, and are then read and validated once; what does not fit is read again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from inward.eval_plugin import EvalPlugin, Panel
from inward.report.detail import PICTURE, detail
from inward.runs import Rollout
from inward.terminal import one_line

MAX_SPOOL = 256_000_000
"""Bytes of the temporary file. More JSON than that is hardly ever shown: it would be over the
report's cap when it is packed."""
MAX_NOTES = 5


@dataclass
class Picture:
    """A picture as it travels in a data URL."""

    kind: str
    body: bytes
    """In base64, without white space."""


@dataclass
class Shown:
    """One rollout for the page."""

    text: str
    """JSON of `detail`."""
    pictures: dict[str, Picture] = field(default_factory=dict)
    """By the names that the text has for them."""


@dataclass(frozen=True)
class Spooled:
    """Where a rollout lies."""

    offset: int
    size: int
    pictures: tuple[str, ...]


def shown(
    rollout: Rollout,
    record: dict[str, Any],
    index: int | None,
    plugin: EvalPlugin | None,
    notes: list[str],
    *,
    draw: bool,
) -> Shown:
    """`record` is the episode's line, with the tensors of its tokens. `draw`: what the reply draws
    too, and the panels that need it, where the environment draws."""
    pictures: dict[str, Picture] = {}

    def named(url: str) -> str:
        name = hashlib.sha256(url.encode()).hexdigest()[:16]
        match = PICTURE.fullmatch(url)
        assert match is not None
        pictures[name] = Picture(match[1], "".join(match[2].split()).encode())
        return name

    panels, png = _asked(plugin, rollout, notes, draw=draw)
    data = detail(rollout, record, index, panels, named)
    drawn = png and named(f"data:image/png;base64,{base64.b64encode(png).decode()}")
    data["drawn"] = "" if png == b"" else drawn
    return Shown(json.dumps(data, ensure_ascii=False, allow_nan=False), pictures)


def _asked(
    plugin: EvalPlugin | None, rollout: Rollout, notes: list[str], *, draw: bool
) -> tuple[Sequence[Panel], bytes | None]:
    """What the environment shows of a rollout, and the picture that its reply draws: empty for
    none, and None where nobody asked."""
    trace = rollout.trace
    if plugin is None or trace is None or not rollout.ok or (plugin.drawing and not draw):
        return (), None
    try:
        panels = plugin.panels(trace) if plugin.panels else ()
        return panels, (plugin.drawing(trace) or b"") if plugin.drawing else None
    except Exception as error:
        # A report without them is worth more than none; it says so.
        note = f"the environment could not show a rollout: {one_line(str(error))[:300]}"
        if note not in notes and len(notes) < MAX_NOTES:
            notes.append(note)
        return (), None


class Spool:
    """A temporary file of about `limit` bytes: the rollout that fills it is still kept."""

    def __init__(self, limit: int = MAX_SPOOL) -> None:
        self.notes: list[str] = []
        """What went wrong when the environment was asked to show a rollout."""
        self._room = limit
        self._pictures: dict[str, tuple[str, int, int]] = {}
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - __exit__ closes it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(
        self, rollout: Rollout, record: dict[str, Any], index: int | None, plugin: EvalPlugin | None
    ) -> Spooled | None:
        """None where the file is full."""
        if self._room <= 0:
            return None
        one = shown(rollout, record, index, plugin, self.notes, draw=False)
        for name, picture in one.pictures.items():
            if name not in self._pictures:
                self._pictures[name] = picture.kind, *self._put(picture.body)
        offset, size = self._put(one.text.encode("utf-8", "surrogatepass"))
        return Spooled(offset, size, tuple(one.pictures))

    def take(self, place: Spooled) -> Shown:
        text = self._get(place.offset, place.size).decode("utf-8", "surrogatepass")
        pictures = {}
        for name in place.pictures:
            kind, offset, size = self._pictures[name]
            pictures[name] = Picture(kind, self._get(offset, size))
        return Shown(text, pictures)

    def _put(self, data: bytes) -> tuple[int, int]:
        offset = self._file.seek(0, 2)
        self._file.write(data)
        self._room -= len(data)
        return offset, len(data)

    def _get(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)
