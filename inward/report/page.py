"""The page: one HTML file that holds everything it shows, and asks for nothing.

    shell      head with a strict content security policy, style, script
    index      all rows of the table and all summaries: gzipped JSON in base64
    blocks     rollouts, in gzipped blocks of about half a megabyte that open on a click
    pictures   each once, as it travelled in the prompt

Nothing that a policy wrote is in the markup: the data is base64 in elements of a type that no
browser runs, and the script puts it into the page as text. The policy allows one style and the
scripts that are named by their hashes, pictures from the page itself, and no request at all.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any

from inward.report.reading import Episode, Parser, Place, Tick, read_again
from inward.report.rows import Row
from inward.report.sample import RULE, by_priority
from inward.report.sections import Reading
from inward.report.spool import Shown, Spool, shown
from inward.runs import Rollout
from inward.summary import versions

MAX_BYTES = 60_000_000
"""Of the file."""
RESERVE = 1_500_000
"""Of it kept for what is last: the block that is still open."""
BLOCK = 500_000
"""Characters of JSON in a block before it is gzipped."""
MAX_DRAWINGS = 40
"""Replies that are drawn again for the page: each costs a part of a second."""
SCRIPTS = ("base.js", "plots.js", "overview.js", "table.js", "rollout.js", "pairs.js", "app.js")
MATHS = "katex.min.js"
"""KaTeX 0.19.1, as npm has it: it writes MathML, which needs no fonts."""


@dataclass
class Written:
    """What became of a page."""

    file: Path
    size: int
    shown: int
    """Rollouts in the file."""
    total: int
    notes: list[str] = field(default_factory=list)


def write(
    file: Path,
    readings: Sequence[Reading],
    comparisons: Sequence[dict[str, Any]],
    spool: Spool,
    tick: Tick,
    max_bytes: int = MAX_BYTES,
) -> Written:
    """Replaces `file` when the new one is whole. `tick` is told of each rollout."""
    total = sum(len(reading.rows) for reading in readings)
    with tempfile.TemporaryFile() as blocks:
        index = _index(readings, comparisons, total)
        # Its size is known but for where each rollout lies.
        room = max_bytes - RESERVE - len(_packed(index)) - 12 * total
        body = _Body(blocks, room, spool)
        for number, row in _in_turn(readings):
            if not body.add(number, row, readings[number]):
                break
            tick(1)
        body.close()
        index["rows"] = _columns(readings, body.places)
        index["shown"], index["notes"] = len(body.places), spool.notes
        _replace(file, _shell(readings), _packed(index), blocks)
    return Written(file, file.stat().st_size, len(body.places), total, spool.notes)


def _in_turn(readings: Sequence[Reading]) -> Iterator[tuple[int, Row]]:
    """The rows of all runs, one of each in turn, so that each has its share of the file."""
    for turn in zip_longest(*(by_priority(reading.rows) for reading in readings)):
        for number, row in enumerate(turn):
            if row is not None:
                yield number, row


class _Body:
    """Blocks and pictures, as far as there is room."""

    def __init__(self, file: IO[bytes], room: int, spool: Spool) -> None:
        self.file, self.room, self.spool = file, room, spool
        self.places: dict[tuple[int, int], tuple[int, int]] = {}
        """(run, id of a row's object) -> block, and place in it."""
        self._open: list[str] = []
        self._characters = self._blocks = self._drawn = 0
        self._pictures: set[str] = set()
        self._files: dict[Path, IO[bytes]] = {}
        self._stack = ExitStack()
        self._parse = Parser()
        self._last: tuple[Place, Episode] | None = None

    def add(self, number: int, row: Row, reading: Reading) -> bool:
        """False where the file is full."""
        if self.room < 0:
            return False
        one = self._shown(row, reading)
        new = {name: p for name, p in one.pictures.items() if name not in self._pictures}
        elements = [
            _element(f"p{name}", picture.body, f' data-type="{picture.kind}"')
            for name, picture in new.items()
        ]
        if not self._fits(one.text, sum(map(len, elements))):
            # Where some room is left a smaller one may fit.
            return self.room > BLOCK
        self._pictures |= new.keys()
        for element in elements:
            self._write(element)
        self.places[number, id(row)] = self._blocks, len(self._open)
        self._open.append(one.text)
        self._characters += len(one.text)
        if self._characters > BLOCK:
            self._flush()
        return True

    def _fits(self, text: str, more: int) -> bool:
        """Whether the open block may still be written with that rollout in it."""
        room = self.room - more + RESERVE
        # A character is four bytes at most, and base64 adds a third: few need to be packed to know.
        if 6 * (self._characters + len(text)) < room:
            return True
        return len(_packed_text(f"[{','.join([*self._open, text])}]")) + 100 < room

    def close(self) -> None:
        self._flush()
        self._stack.close()

    def _shown(self, row: Row, reading: Reading) -> Shown:
        """From the spool, or from the file of the run: where it was not spooled, and the first
        rollouts whose replies are drawn."""
        plugin = reading.plugins.get(row.environment)
        draw = bool(plugin and plugin.drawing and row.status == "scored")
        self._drawn += draw
        draw = draw and self._drawn <= MAX_DRAWINGS
        if row.text is not None and not draw:
            return self.spool.take(row.text)
        episode = self._episode(row.place)
        trace = None if row.trace_index is None else episode.whole.traces[row.trace_index]
        rollout = Rollout(episode.whole, trace)
        return shown(rollout, episode.record, row.trace_index, plugin, self.spool.notes, draw=draw)

    def _episode(self, place: Place) -> Episode:
        if self._last is None or self._last[0] != place:
            if place.file not in self._files:
                self._files[place.file] = self._stack.enter_context(place.file.open("rb"))
            episode = self._parse(read_again(self._files[place.file], place))
            if episode is None:
                raise OSError(f"{place.file} has changed while it was read: write the report again")
            self._last = place, episode
        return self._last[1]

    def _flush(self) -> None:
        if self._open:
            self._write(_element(f"b{self._blocks}", _packed_text(f"[{','.join(self._open)}]")))
            self._blocks += 1
            self._open, self._characters = [], 0

    def _write(self, element: bytes) -> None:
        self.file.write(element)
        self.room -= len(element)


def _element(name: str, base64_body: bytes, more: str = "") -> bytes:
    return b'<script type="application/octet-stream" id="%s"%s>%s</script>\n' % (
        name.encode(),
        more.encode(),
        base64_body,
    )


def _index(
    readings: Sequence[Reading], comparisons: Sequence[dict[str, Any]], total: int
) -> dict[str, Any]:
    return {
        "runs": [run_json(reading) for reading in readings],
        "comparisons": comparisons,
        "rows": _columns(readings, None),
        "shown": total,
        "total": total,
        "rule": RULE,
        "notes": [],
        "versions": versions(),
    }


def run_json(reading: Reading) -> dict[str, Any]:
    """All of a run but its rollouts."""
    folder = reading.source.folder
    return {
        "name": reading.name,
        "training": reading.source.training,
        "sections": reading.sections,
        "curves": reading.curves,
        "curves_left_out": reading.more_curves,
        "unreadable": {
            "count": reading.broken.count,
            "lines": [line.removeprefix(f"{folder}{os.sep}") for line in reading.broken.named],
        },
    }


FIELDS = (
    "id", "section", "task", "group", "agent", "status", "stop", "reward", "right", "advantage",
    "turns", "calls", "tokens_in", "tokens_out", "seconds", "reply", "cause", "outcome", "answer",
)  # fmt: skip


def _columns(
    readings: Sequence[Reading], places: dict[tuple[int, int], tuple[int, int]] | None
) -> dict[str, Any]:
    """The table by columns, of the rows that have a place; of all where there are no places yet."""
    chosen: list[tuple[int, int, Row]] = []
    for number, reading in enumerate(readings):
        # `inward show` counts the rollouts of one evaluation from 0.
        chosen += [
            (number, k, row)
            for k, row in enumerate(reading.rows)
            if places is None or (number, id(row)) in places
        ]
    names = dict.fromkeys(name for _, _, row in chosen for name in row.values)
    found = [(0, 0) if places is None else places[run, id(row)] for run, _, row in chosen]
    return {
        "run": [run for run, _, _ in chosen],
        "k": [k for _, k, _ in chosen],
        **{name: [getattr(row, name) for _, _, row in chosen] for name in FIELDS},
        "flags": [list(row.flags) for _, _, row in chosen],
        "values": {name: [_short(row.values.get(name)) for _, _, row in chosen] for name in names},
        "block": [block for block, _ in found],
        "item": [item for _, item in found],
    }


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _packed(data: Any) -> bytes:
    return _packed_text(json.dumps(data, ensure_ascii=False, allow_nan=False))


def _packed_text(text: str) -> bytes:
    # A lone surrogate is text that a policy may write, and no character of UTF-8.
    raw = text.encode("utf-8", "backslashreplace")
    return base64.b64encode(gzip.compress(raw, compresslevel=6, mtime=0))


def _asset(name: str) -> str:
    return resources.files("inward.report").joinpath("assets", name).read_text("utf-8")


def _shell(readings: Sequence[Reading]) -> tuple[str, str]:
    """What stands before the data, and after it."""
    style = _asset("report.css")
    scripts = [_asset(MATHS), "\n".join(map(_asset, SCRIPTS))]
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'sha256-{_sha256(style)}';"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    title = escape(", ".join(reading.name for reading in readings))
    head = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<noscript>This report needs JavaScript. It asks for nothing outside this file.</noscript>
"""
    return head, "".join(f"<script>{script}</script>\n" for script in reversed(scripts))


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _replace(file: Path, shell: tuple[str, str], index: bytes, blocks: IO[bytes]) -> None:
    head, scripts = shell
    blocks.seek(0)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as out:
            out.write(head.encode("utf-8", "replace"))
            out.write(b'<script type="application/octet-stream" id="index">%s</script>\n' % index)
            # Before the blocks: the first table does not wait for them.
            out.write(scripts.encode())
            shutil.copyfileobj(blocks, out)
            out.write(b"</body>\n</html>\n")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
