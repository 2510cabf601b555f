"""What a person sees while a run is played: finished episodes, and each kind of warning once."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from inward.causes import kind
from inward.terminal import one_line

PROGRESS_S = 2.0
BLOCK = 1 << 20
KINDS = 100
"""Of warnings that are counted apart; later ones are in the log alone."""


class Warnings(logging.Handler):
    """Counts warnings by kind; if `live`, it prints the first of each at once."""

    def __init__(self, *, live: bool) -> None:
        super().__init__(logging.WARNING)
        self.live = live
        self.first: dict[str, str] = {}
        self.counts: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        line = one_line(record.getMessage())
        key = kind(line)
        if key not in self.first:
            if len(self.first) == KINDS:
                return
            self.first[key] = line
            if self.live:
                sys.stderr.write(f"warning: {line}\n")
        self.counts[key] = self.counts.get(key, 0) + 1

    def summary(self) -> list[str]:
        """What was not printed live: all that came more than once, or all."""
        return [
            f"warning, {count} times: {self.first[key]}" if count > 1 else f"warning: {line}"
            for key, line in self.first.items()
            if (count := self.counts[key]) > 1 or not self.live
        ]


@contextlib.contextmanager
def progress(traces: Path) -> Iterator[None]:
    """Counts the episodes that a run has finished, where no dashboard shows them."""
    done = threading.Event()

    def watch() -> None:
        counter, shown, last = _Counter(traces), 0, False
        while not last:
            last = done.wait(PROGRESS_S)
            if (count := counter.update()) != shown:
                sys.stderr.write(f"{count} episodes done\n")
                shown = count

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class _Counter:
    """Lines of a growing file, of which no byte is read twice."""

    def __init__(self, path: Path) -> None:
        self.path, self.offset, self.lines = path, 0, 0
        self.inode = 0

    def update(self) -> int:
        if not self.path.exists():
            return 0
        with self.path.open("rb") as file:
            inode = self.path.stat().st_ino
            if inode != self.inode:  # a resumed run replaces the file by what it keeps
                self.inode, self.offset, self.lines = inode, 0, 0
            file.seek(self.offset)
            while block := file.read(BLOCK):
                self.lines += block.count(b"\n")
            self.offset = file.tell()
        return self.lines
