"""The pool's handle on its template process, and on the workers that it forks (`process`)."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inward_rewards.sandbox.clock import Hung, WallClock
from inward_rewards.sandbox.errors import PoolError
from inward_rewards.sandbox.forks import fork_guard, survives_forks
from inward_rewards.sandbox.frames import Message, unpack

# To the template: `FORK` beside a worker's channel and slot, the process id of a worker that has
# hung up, or minus that of one to kill. Back: its process id or exit code, and its CPU seconds.
REQUEST, REPLY = struct.Struct("!q"), struct.Struct("!qd")
FORK = 0
START_CPU_SECONDS = 60.0
"""What imports may take: the wall clock over them, not a limit."""

# The caller's own copy of this package, whatever else is installed; its folder goes last, where it
# can shadow nothing.
_ENTRY = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import inward_rewards; "
    "sys.path.append(sys.path.pop(0)); from inward_rewards.sandbox.process import main; main()"
)
_ROOT = str(Path(__file__).parents[2])
_SETTINGS = {
    "PYTHONHASHSEED": "0",  # sympy's order of arguments, and so the way to a verdict, follows it
    "TZ": "UTC",
    "OPENBLAS_NUM_THREADS": "1",
}
_KEPT = ("HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Of the caller's environment, with PYTHON*: where libraries are. No secrets, no language."""


@dataclass(frozen=True)
class Program:
    name: str
    """As messages call it: "the maths verifier"."""
    module: str
    install: str
    """The command that installs what it imports."""


@dataclass(frozen=True)
class Limits:
    """Of one request."""

    cpu_seconds: float
    """CPU time, from when the work starts."""
    memory_mb: int
    """Of a worker's data: its heap and all other memory that it may write (Linux)."""

    def __str__(self) -> str:
        return f"cpu_seconds={self.cpu_seconds:g} and memory_mb={self.memory_mb}"


class Lost(Exception):  # noqa: N818 -- internal: it names what the template is
    """The template ended from outside, or stopped."""


class Worker:
    """One process. Not for use by two threads at once."""

    def __init__(self, template: Template, pid: int, channel: socket.socket) -> None:
        self.template, self.pid, self.channel = template, pid, channel
        self.spent = 0.0
        """CPU seconds before the request in hand."""
        survives_forks(self)

    def receive(self, clock: WallClock) -> Message:
        """Raises `Hung`, `EOFError`, `OSError`, or `ValueError` for what is no message."""
        return unpack(lambda size: clock.take(self.channel, size))

    def after_fork(self) -> None:
        self.channel.close()

    def ask(self, request: bytes) -> tuple[dict[str, Any], list[bytes]]:
        """As `receive`."""
        clock = WallClock(self.pid, self.spent, self.template.limits.cpu_seconds)
        clock.send(self.channel, request)
        envelope, blobs = self.receive(clock)
        self.spent = envelope["spent"]
        return envelope, blobs


class Template:
    """A started process; may be used by several threads."""

    def __init__(self, program: Program, limits: Limits) -> None:
        """Does not wait until it is ready. Raises `PoolError`."""
        self.program, self.limits = program, limits
        self._lock = threading.Lock()
        if not sys.executable:
            raise PoolError("sys.executable is empty: start the pool from a python program")
        with fork_guard:
            self._control, theirs = socket.socketpair()
            self._control.setblocking(False)
            try:
                self._process = self._start(theirs)
            except OSError as error:
                self._control.close()
                raise PoolError(f"{program.name} cannot start {sys.executable}: {error}") from error
            finally:
                theirs.close()
        survives_forks(self)

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in _KEPT or name.startswith("PYTHON")
        }
        limits = [str(self.limits.cpu_seconds), str(self.limits.memory_mb << 20)]
        command = [sys.executable, "-P", "-c", _ENTRY, _ROOT, self.program.module]
        return subprocess.Popen(
            [*command, str(theirs.fileno()), *limits],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            # Ctrl-C is for the program in front: it then closes the pool.
            start_new_session=True,
            env={**kept, **_SETTINGS},
        )

    def wait_ready(self) -> None:
        """Until it has imported the program. Raises `PoolError`."""
        assert self._process.stderr is not None
        try:
            self._reply(WallClock(self._process.pid, 0, START_CPU_SECONDS))
        except (Hung, EOFError, OSError) as error:
            if isinstance(error, Hung):
                self._process.kill()
            said = self._process.stderr.read()[-2000:].decode(errors="replace").strip()
            raise PoolError(
                f"{self.program.name} did not start: its process ended with code "
                f"{self._process.wait()} before it was ready {error}; "
                f"`{sys.executable} -P -c 'import {self.program.module}'` must work "
                f"({self.program.install}). It said: {said or 'nothing'}"
            ) from error
        finally:
            self._process.stderr.close()

    def fork(self, slot: socket.socket) -> Worker:
        """A new worker, which has yet to say that it is ready. Raises `Lost`."""
        with self._lock:
            with fork_guard:
                ours, theirs = socket.socketpair()
                ours.setblocking(False)
                worker = Worker(self, 0, ours)
                try:
                    self._request(FORK, theirs.fileno(), slot.fileno())
                except Lost:
                    ours.close()
                    raise
                finally:
                    theirs.close()
            try:
                worker.pid = int(self._answer()[0])
            except Lost:
                ours.close()
                raise
        return worker

    def end(self, worker: Worker, kill: bool = False) -> tuple[int, float]:
        """The exit code of a worker that hung up, or is killed here, and all its CPU seconds.

        The code is negative where a signal ended it. Raises `Lost`.
        """
        worker.channel.close()
        with self._lock:
            self._request(-worker.pid if kill else worker.pid)
            code, seconds = self._answer()
        return int(code), seconds

    def _request(self, number: int, *fds: int) -> None:
        try:
            socket.send_fds(self._control, [REQUEST.pack(number)], fds)
        except OSError as error:
            raise Lost(str(error)) from error

    def _answer(self) -> tuple[int, float]:
        try:
            return self._reply(WallClock(self._process.pid, 0, 0))
        except (Hung, EOFError, OSError) as error:
            raise Lost(str(error) or "it hung up") from error

    def _reply(self, clock: WallClock) -> tuple[int, float]:
        number, seconds = REPLY.unpack(clock.take(self._control, REPLY.size))
        return number, seconds

    def close(self) -> None:
        """Ends the template, which kills its workers. Whoever waits for it gets `Lost`."""
        with suppress(OSError):
            # Closing alone would not wake a thread that waits for an answer.
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:  # it was stopped; its workers die with it
            self._process.kill()
            self._process.wait()
        with self._lock:
            self._control.close()

    def after_fork(self) -> None:
        """It belongs to the parent, which must be able to end it by hanging up."""
        self._control.close()
        self._process.returncode = 0  # not our child: nothing to wait for
