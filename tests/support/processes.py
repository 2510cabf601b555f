"""The sandbox's processes, as /proc shows them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def workers(template: int) -> list[int]:
    """Process ids of the children of a process, zombies too."""
    found = []
    for thread in Path(f"/proc/{template}/task").glob("*"):
        with suppress(OSError):
            found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def templates(program: int) -> list[int]:
    """Process ids of the templates that a program started."""
    return [
        child
        for child in workers(program)
        if b"inward_rewards.sandbox" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
