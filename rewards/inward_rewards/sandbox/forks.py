"""What a forked child of the program must drop: threads, locks, processes and their sockets."""

from __future__ import annotations

import os
import threading
from typing import Protocol
from weakref import WeakSet


class Survivor(Protocol):
    def after_fork(self) -> None:
        """In the child: makes it as good as new, with nothing of the parent's."""


fork_guard = threading.RLock()
"""Held while both ends of a socket are open here: a child with a copy of the far end would keep us
from seeing its process end."""
_survivors: WeakSet[Survivor] = WeakSet()


def survives_forks(one: Survivor) -> None:
    with fork_guard:
        _survivors.add(one)


def _in_child() -> None:
    fork_guard.release()
    for one in _survivors:
        one.after_fork()


os.register_at_fork(
    before=fork_guard.acquire, after_in_parent=fork_guard.release, after_in_child=_in_child
)
