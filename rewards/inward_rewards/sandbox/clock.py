"""The wall clock over a process that we wait for, and messages to and fro under it."""

from __future__ import annotations

import os
import select
import socket
import time
from pathlib import Path

WALL_SECONDS = 30.0
"""Without any progress."""
LOAD = 60.0
"""Wall seconds more for each CPU second used: a loaded machine is no fault."""
_TICKS = os.sysconf("SC_CLK_TCK")


class Hung(Exception):  # noqa: N818 -- internal: it names what the process is
    """The wall clock ran out."""


class WallClock:
    """Starts now, for one process and one piece of work of at most so many CPU seconds.

    `spent` is the process's CPU time before it.
    """

    def __init__(self, pid: int, spent: float, cpu_seconds: float) -> None:
        self._pid, self._spent, self._most = pid, spent, cpu_seconds
        self._start = time.monotonic()

    def wait(self, channel: socket.socket, event: int) -> None:
        """Until the channel is ready for `select.POLLIN` or `POLLOUT`. Raises `Hung`."""
        poll = select.poll()
        poll.register(channel, event)
        used = 0.0
        while not poll.poll(1000 * max(0.0, self._left(used))):
            used = self._used()
            if self._left(used) <= 0:
                taken = time.monotonic() - self._start
                raise Hung(f"no reply in {taken:.0f} s of wall time and {used:.1f} s of CPU time")

    def send(self, channel: socket.socket, data: bytes) -> None:
        """To a channel that does not block. Raises `Hung` or `OSError`."""
        view = memoryview(data)
        while view:
            try:
                view = view[channel.send(view) :]
            except BlockingIOError:
                self.wait(channel, select.POLLOUT)

    def take(self, channel: socket.socket, size: int) -> bytes:
        """Exactly so many bytes. Raises `Hung`, `EOFError` or `OSError`."""
        data = bytearray()
        while len(data) < size:
            try:
                chunk = channel.recv(size - len(data))
            except BlockingIOError:
                self.wait(channel, select.POLLIN)
                continue
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

    def _left(self, used: float) -> float:
        """Seconds until it runs out, if the process makes no more progress."""
        return self._start + WALL_SECONDS + LOAD * used - time.monotonic()

    def _used(self) -> float:
        """CPU seconds of this piece of work so far; all of them where the system does not tell."""
        now = _cpu_seconds(self._pid)
        return self._most if now is None else min(max(0.0, now - self._spent), self._most)


def _cpu_seconds(pid: int) -> float | None:
    """CPU time of a process so far, where the system tells."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICKS
