"""The machine's budget of living workers, over every process of this user.

A slot is a name in Linux's abstract socket namespace: binding it takes it, a second binding fails,
and the kernel frees it when its last holder dies. Its holder is the worker itself, so that no
crash, kill or stop of anything else can leave a slot taken, and nothing lies in any folder. Who
finds none free asks the holders in turn, by a datagram to their names; a worker that has nothing to
do, or has had its turn, then leaves (`process`). The names are one network namespace's, as a
container has it. Where there are no such names (macOS), each pool keeps to the budget by itself.
"""

from __future__ import annotations

import errno
import functools
import os
import select
import socket
import struct
import sys
import time
import warnings
from collections.abc import Iterator

from inward_rewards.sandbox.cores import usable_cores

VARIABLE = "INWARD_WORKERS"
FRESH_SECONDS = 1.0
"""How long asking counts: whoever asked may since have found a place elsewhere."""
_STAMP = struct.Struct("!d")
_configured: int | None = None
_warned = False
_cores = functools.cache(usable_cores)  # each submitted request asks


def set_workers(count: int | None) -> None:
    """The machine's budget, from a config: before INWARD_WORKERS, and for this process and those
    that it forks. None: as if never set."""
    global _configured
    if count is not None and count < 1:
        raise ValueError(f"workers must be at least 1, not {count!r}")
    _configured = count


def budget() -> int:
    """How many workers may live at once on this machine."""
    if _configured is not None:
        return _configured
    value = os.environ.get(VARIABLE, "")
    if not value:
        return _cores()
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(f"{VARIABLE}={value!r}: set it to a whole number from 1, or unset it")
    return int(value)


def take() -> socket.socket | None:
    """A slot, or None where all are taken. Whoever holds the socket, or a copy, holds the slot."""
    slot = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if not _shared():
        return slot
    for name in _names():
        try:
            slot.bind(name)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            _warn(error)
        return slot
    slot.close()
    return None


def ask(turn: int) -> None:
    """Asks some of the holders for their slots, others at every turn."""
    if not _shared():
        return
    names = list(_names())
    some = max(1, len(names) // 8)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        for i in range(turn * some, (turn + 1) * some):
            try:
                asking.sendto(_STAMP.pack(time.monotonic()), names[i % len(names)])
            except OSError:
                continue  # free by now, or asked often enough


def asked(slot: socket.socket) -> bool:
    """Whether somebody asked for this slot a moment ago. For its holder; never blocks."""
    fresh = False
    while select.select([slot], [], [], 0)[0]:
        data = slot.recv(_STAMP.size)
        if len(data) == _STAMP.size:
            fresh = _STAMP.unpack(data)[0] > time.monotonic() - FRESH_SECONDS
    return fresh


def _shared() -> bool:
    return sys.platform == "linux"


def _names() -> Iterator[str]:
    count = budget()
    for i in range(count):
        # Not all begin at the same one.
        yield f"\0inward-worker-{os.getuid()}-{(i + os.getpid()) % count}"


def _warn(error: OSError) -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            f"the budget of {budget()} workers holds for each pool alone, not for the whole "
            f"machine: abstract sockets cannot be bound here ({error})",
            RuntimeWarning,
            stacklevel=2,
        )
