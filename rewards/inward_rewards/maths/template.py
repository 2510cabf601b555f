"""The pool's handle on its template process (see `worker`)."""

import os
import socket
import struct
import subprocess
import sys
import tempfile
from multiprocessing.connection import Connection

# To the template: `FORK` beside a socket, or the process id of a worker to reap. Back: an integer.
MESSAGE = struct.Struct("!q")
FORK = 0


class PoolError(RuntimeError):
    """The machine's fault: the processes that check answers cannot start, were closed, or were
    ended from outside."""


class Template:
    """A started template process; not for use by two threads at once."""

    def __init__(self, cpu_seconds: float, memory_mb: int) -> None:
        """Blocks until the process has imported math-verify. Raises `PoolError`."""
        if not sys.executable:
            raise PoolError("sys.executable is empty: run the maths verifier from a python program")
        command = [sys.executable, "-P", "-m", "inward_rewards.maths.worker"]
        self._control, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as stderr:
            limits = [str(theirs.fileno()), str(cpu_seconds), str(memory_mb << 20)]
            self._process = subprocess.Popen(
                [*command, *limits],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                pass_fds=[theirs.fileno()],
                # Ctrl-C is for the program in front: it then closes the pool.
                start_new_session=True,
                # sympy's order of arguments, and so the way to a verdict, follows the hash seed.
                env={**os.environ, "PYTHONHASHSEED": "0"},
            )
            theirs.close()
            try:
                self._answer()
            except ConnectionError as error:
                self._control.close()
                code = self._process.wait()
                stderr.seek(0)
                said = stderr.read()[-2000:].decode(errors="replace").strip()
                raise PoolError(
                    f"the maths verifier's process ended with code {code} before it was ready; "
                    f'`{" ".join(command)}` must start (pip install "inward-rewards[maths]"). '
                    f"It said: {said or 'nothing'}"
                ) from error

    def fork(self) -> tuple[int, Connection]:
        """A new worker: its process id, and the channel to it. Raises `ConnectionError`."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                pid = self._request(FORK, theirs.fileno())
        except ConnectionError:
            ours.close()
            raise
        return pid, Connection(ours.detach())

    def reap(self, pid: int) -> int:
        """The exit code of a worker that hung up (negative: the signal that ended it).

        Raises `ConnectionError`.
        """
        return self._request(pid)

    def _request(self, number: int, *fds: int) -> int:
        if self._control.fileno() < 0:
            raise ConnectionResetError("the template process was closed")
        socket.send_fds(self._control, [MESSAGE.pack(number)], fds)
        return self._answer()

    def _answer(self) -> int:
        message = self._control.recv(MESSAGE.size)
        if not message:
            raise ConnectionResetError("the template process hung up")
        (value,) = MESSAGE.unpack(message)
        return int(value)

    def close(self) -> None:
        """Ends the template, which kills its workers."""
        self._control.close()
        self._process.wait()

    def forget(self) -> None:
        """After a fork of the program: the process belongs to the parent, which must be able to
        end it by hanging up."""
        self._control.close()
        self._process.poll()  # not our child: marks it as done
