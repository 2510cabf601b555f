"""`inward cache`: what environments keep between runs beside the indexes of `inward_retrieval`.

    redraw/    of chart-reconstruction: what a redrawing model drew, wrote or answered
    advisor/   of advisor: what the frozen solver earned without advice

Only files that bear the name of such an entry are counted and removed. What a run needs and does
not find there it works out anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from inward_chat.downloads import cache_dir

from inward.errors import UserError
from inward.terminal import printable

FOLDERS = {
    "redraw": (re.compile(r"[0-9a-f]{2}/\.?[0-9a-f]{62}(\.\d+\.\d+)?"), "drawings"),
    "advisor": (re.compile(r"[0-9a-f]{64}\.json"), "baselines"),
}
"""Name below the cache's folder -> names of its entries, and what they are."""


def show() -> None:
    """A line per folder that there is."""
    for name, what, files in _found():
        size = sum(file.stat().st_size for file in files if file.exists())
        _say(f"{what}: {len(files)}, {size / 1e6:.1f} MB, in {cache_dir() / name}")


def clear() -> None:
    """Removes the entries, and says so; what is no entry of ours is left."""
    for name, what, files in _found():
        size = 0
        for file in files:
            with suppress(FileNotFoundError):  # another process was faster
                one = file.stat().st_size
                try:
                    file.unlink()
                except PermissionError as error:
                    raise UserError(f"cannot remove {str(file)!r}: {error.strerror}") from error
                size += one
        _say(f"removed {what}: {len(files)}, {size / 1e6:.1f} MB, from {cache_dir() / name}")


def _found() -> Iterator[tuple[str, str, list[Path]]]:
    for name, (entry, what) in FOLDERS.items():
        folder = cache_dir() / name
        if not folder.is_dir():
            continue
        try:
            files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        except OSError as error:
            raise UserError(f"cannot read {str(folder)!r}: {error}") from error
        yield (
            name,
            what,
            [file for file in files if entry.fullmatch(file.relative_to(folder).as_posix())],
        )


def _say(line: str) -> None:
    sys.stdout.write(f"{printable(line)}\n")
