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
    """Starts now, for one process and one piece of work of at most so many CPU seconds."""

    def __init__(self, pid: int, cpu_seconds: float) -> None:
        self._pid, self._most = pid, cpu_seconds
        self._start, self._before = time.monotonic(), _cpu_seconds(pid)

    def left(self) -> float:
        """Seconds until it runs out, if the process makes no progress."""
        now = _cpu_seconds(self._pid)
        used = self._most if now is None or self._before is None else now - self._before
        return self._start + WALL_SECONDS + LOAD * min(used, self._most) - time.monotonic()

    def wait(self, channel: socket.socket, event: int) -> None:
        """Until the channel is ready for `select.POLLIN` or `POLLOUT`. Raises `Hung`."""
        poll = select.poll()
        poll.register(channel, event)
        while not poll.poll(1000 * max(0.0, left := self.left())):
            if left <= 0:
                raise Hung(self._state())

    def send(self, channel: socket.socket, data: bytes) -> None:
        """To a channel that does not block. Raises `Hung` or `OSError`."""
        view = memoryview(data)
        while view:
            self.wait(channel, select.POLLOUT)
            view = view[channel.send(view) :]

    def take(self, channel: socket.socket, size: int) -> bytes:
        """Exactly so many bytes. Raises `Hung`, `EOFError` or `OSError`."""
        data = bytearray()
        while len(data) < size:
            self.wait(channel, select.POLLIN)
            if not (chunk := channel.recv(size - len(data))):
                raise EOFError
            data += chunk
        return bytes(data)

    def _state(self) -> str:
        taken = time.monotonic() - self._start
        now = _cpu_seconds(self._pid)
        used = "" if now is None or self._before is None else f" and {now - self._before:.1f} s CPU"
        return f"no reply in {taken:.0f} s of wall time{used}"


def _cpu_seconds(pid: int) -> float | None:
    """CPU time of a process so far, where the system tells."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICKS
