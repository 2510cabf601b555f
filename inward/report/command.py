"""`inward report RUN [RUN …]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from inward.errors import UserError
from inward.report.page import Written, run_json, write
from inward.report.pairs import comparisons
from inward.report.reading import Source, Tick, find
from inward.report.sections import Reading, read
from inward.report.spool import Spool
from inward.summary import versions
from inward.terminal import printable

NAME = "report.html"
SLOW = 50_000_000
"""Bytes of traces: more are read with a progress bar."""


def command(args: argparse.Namespace) -> int:
    """The exit status."""
    sources = [find(folder) for folder in args.runs]
    if args.json:
        readings = _read(sources)
        sys.stdout.write(json.dumps(as_json(readings), allow_nan=False) + "\n")
        return 0
    file = args.output or (args.runs[0] / NAME if len(args.runs) == 1 else Path(NAME))
    if not file.parent.is_dir():
        raise UserError(f"no folder {str(file.parent)!r}: --output names a file in a folder")
    try:
        written, readings = _write(sources, file)
    except OSError as error:
        raise UserError(f"cannot write {str(file)!r}: {error}") from error
    sys.stderr.writelines(f"{printable(line)}\n" for line in _remarks(written, readings))
    sys.stdout.write(f"{printable(str(file))}\n")
    return 0


def write_report(folder: Path) -> Path:
    """Write the report of one run into its folder. Whatever is wrong raises."""
    file = folder / NAME
    _write([find(folder)], file)
    return file


def as_json(readings: Sequence[Reading]) -> dict[str, Any]:
    """What the page shows, without rollouts; docs/reading-runs.md has the schema."""
    return {
        "runs": [run_json(reading) for reading in readings],
        "comparisons": comparisons(readings),
        "versions": versions(),
    }


def _write(sources: Sequence[Source], file: Path) -> tuple[Written, list[Reading]]:
    with Spool() as spool:
        readings = _read(sources, spool)
        total = sum(len(reading.rows) for reading in readings)
        slow = sum(source.size for source in sources) >= SLOW
        with _progress("writing", total, slow, MofNCompleteColumn()) as tick:
            return write(file, readings, comparisons(readings), spool, tick), readings


def _read(sources: Sequence[Source], spool: Spool | None = None) -> list[Reading]:
    size = sum(source.size for source in sources)
    with _progress("reading", size, size >= SLOW, DownloadColumn()) as tick:
        found = [read(s, n, tick, spool) for s, n in zip(sources, _names(sources), strict=True)]
    for reading in found:
        if not reading.rows and not reading.curves:
            why = "".join(f": {line}" for line in _unreadable(reading))
            raise UserError(f"the run in {str(reading.source.folder)!r} holds no rollouts{why}")
    return found


def _names(sources: Sequence[Source]) -> list[str]:
    """The folders' names, with their parents' where those are the same."""
    names = [source.folder.resolve().name for source in sources]
    counts = Counter(names)
    found = [
        name if counts[name] == 1 else f"{source.folder.resolve().parent.name}/{name}"
        for source, name in zip(sources, names, strict=True)
    ]
    return [
        name if found.count(name) == 1 else f"{name} ({number})"
        for number, name in enumerate(found, 1)
    ]


def _remarks(written: Written, readings: Sequence[Reading]) -> Iterator[str]:
    yield f"{written.shown} of {written.total} rollouts, {written.size / 1e6:.1f} MB"
    for reading in readings:
        yield from _unreadable(reading)
    yield from written.notes


def _unreadable(reading: Reading) -> Iterator[str]:
    broken = reading.broken
    if broken.count:
        named = ", ".join(broken.named[:5]) + (", …" if broken.count > 5 else "")
        yield f"{broken.count} unreadable line{'s' * (broken.count > 1)} ({named})"


@contextmanager
def _progress(what: str, total: int, slow: bool, counted: ProgressColumn) -> Iterator[Tick]:
    if not slow:
        yield lambda done: None
        return
    columns = (TextColumn(what), BarColumn(), counted, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)
