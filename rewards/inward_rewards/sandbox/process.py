"""The processes that may be killed: a template, and the workers that it forks.

The template imports a program once, which takes seconds, and then forks a worker in milliseconds
whenever the pool asks. It has one thread and never sees a request. It is a program of its own
rather than a `multiprocessing` process because those import the caller's main module again (spawn,
forkserver) or copy its locks (fork).

A worker's clock is the kernel's profiling timer, set when a request arrives. It counts the CPU time
of this process alone, so waiting on a loaded machine costs nothing, and its default action ends the
process inside C code too, where no Python signal handler would run.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, Protocol

from inward_rewards.sandbox import slots
from inward_rewards.sandbox.blame import BROKEN, LEFT, MEMORY
from inward_rewards.sandbox.errors import Broken
from inward_rewards.sandbox.frames import Message, pack, unpack
from inward_rewards.sandbox.template import FORK, REPLY, REQUEST

TURN_SECONDS = 5.0
"""How long a worker that has work may stay when another program wants its place."""
IDLE_SECONDS = 0.5
"""After which a worker has no work: between two requests it only looks so."""
FIRST_SECONDS = 5.0
"""The same before its first request, which is on its way."""
END_SECONDS = 10.0
"""What a worker that hung up may take to end."""
_ROOM = 32 << 20
"""What a small request may need beyond what the process starts with."""
_PR_SET_PDEATHSIG = 1


class Answers(Protocol):
    """The module of a program."""

    def prepare(self) -> None: ...
    def start(self) -> None: ...
    def answer(self, header: dict[str, object], blobs: list[bytes]) -> Message: ...


def main() -> None:
    module, control, cpu_seconds, memory_bytes = sys.argv[1:]
    # A program may leave these to its children: ignored and blocked signals, and its folder.
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) is signal.SIG_IGN and number not in _IGNORED:
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    program: Answers = importlib.import_module(module)
    os.chdir("/")
    program.prepare()
    limits = _Limits(float(cpu_seconds), int(memory_bytes))
    with suppress(ConnectionError):  # the program that asked has ended
        _Template(program, socket.socket(fileno=int(control)), limits).serve()


# Python's own settings: a broken pipe and a file that grows too large are exceptions.
_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)


@dataclass(frozen=True)
class _Limits:
    cpu_seconds: float
    memory_bytes: int

    def impose(self) -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (self.memory_bytes, self.memory_bytes))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        bytearray(_ROOM)  # MemoryError: the limit leaves no room to work in


class _Template:
    def __init__(self, program: Answers, control: socket.socket, limits: _Limits) -> None:
        self._program, self._control, self._limits = program, control, limits
        self._living: set[int] = set()
        self._ended: dict[int, tuple[int, float]] = {}
        self._prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
        signal.signal(signal.SIGCHLD, lambda *_: self._reap())

    def serve(self) -> None:
        """Forks workers and tells how they ended, until the pool hangs up."""
        self._control.sendall(REPLY.pack(os.getpid(), 0))
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        os.close(null)
        while True:
            message, fds, _, _ = socket.recv_fds(self._control, REQUEST.size, 2)
            if not message:
                break
            (number,) = REQUEST.unpack(message)
            if number == FORK:
                reply = self._fork(*fds), 0.0
            else:
                reply = self._end(abs(number), kill=number < 0)
            self._control.sendall(REPLY.pack(*reply))
        for pid in list(self._living):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _fork(self, channel: int, slot: int) -> int:
        template = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if self._prctl is not None:
                self._prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != template:
                os._exit(0)
            _stand_back()
            _Worker(self._program, channel, slot, self._limits).run()
        os.close(channel)
        os.close(slot)
        self._living.add(pid)
        if pid in self._ended:  # so soon that `_reap` ran before it was counted
            self._living.discard(pid)
        return pid

    def _end(self, pid: int, kill: bool) -> tuple[int, float]:
        deadline = time.monotonic() + (0 if kill else END_SECONDS)
        while pid not in self._ended:
            if time.monotonic() >= deadline:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.0005)
            self._reap()
        return self._ended.pop(pid)

    def _reap(self) -> None:
        """At once, so that no worker is left behind as a zombie."""
        while self._living:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return  # the last one was taken by a call that this one interrupts
            if pid == 0:
                return
            self._living.discard(pid)
            seconds = usage.ru_utime + usage.ru_stime
            self._ended[pid] = os.waitstatus_to_exitcode(status), seconds


class _Worker:
    def __init__(self, program: Answers, channel: int, slot: int, limits: _Limits) -> None:
        self._program, self._limits = program, limits
        # Blocking throughout: with a time limit Python would poll, which a process that may open
        # no file is refused.
        self._channel = socket.socket(fileno=channel)
        self._slot = socket.socket(fileno=slot)
        self._channel.setblocking(True)
        self._slot.setblocking(True)

    def run(self) -> NoReturn:
        code = 1
        try:
            code = self._work()
        except MemoryError:
            code = MEMORY
        except Broken:
            code = BROKEN
        except (EOFError, ConnectionError):
            code = 0  # the pool hung up
        finally:
            os._exit(code)  # never back into the template's loop

    def _work(self) -> int:
        self._limits.impose()
        try:
            self._program.start()
        except Exception:
            self._send({"fault": traceback.format_exc()})
            return 0
        self._send({})
        ceiling = _peak_bytes() + self._limits.memory_bytes // 4
        turn = time.monotonic() + TURN_SECONDS
        idle = FIRST_SECONDS
        while self._waited(idle):
            idle = IDLE_SECONDS
            header, blobs = unpack(self._take)
            signal.setitimer(signal.ITIMER_PROF, self._limits.cpu_seconds)
            try:
                reply, reply_blobs = self._program.answer(header, blobs)
                envelope: dict[str, object] = {"reply": reply}
            except (MemoryError, Broken):
                raise
            except Exception:
                envelope, reply_blobs = {"fault": traceback.format_exc()}, []
            signal.setitimer(signal.ITIMER_PROF, 0)
            # What a huge request leaves in the heap would starve the ones after it.
            grown = _peak_bytes() > ceiling
            asked = slots.asked(self._slot) and time.monotonic() > turn
            self._send(envelope | {"grown": grown, "asked": asked}, *reply_blobs)
            if grown or asked or "fault" in envelope:
                return 0
        return LEFT

    def _waited(self, idle: float) -> bool:
        """True with a request at hand, False where there is none and another wants this place."""
        while True:
            ready, _, _ = select.select([self._channel, self._slot], [], [])
            if self._channel in ready:
                return True
            if slots.asked(self._slot):
                ready, _, _ = select.select([self._channel], [], [], idle)
                return bool(ready)

    def _take(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            if not (chunk := self._channel.recv(size - len(data))):
                raise EOFError
            data += chunk
        return bytes(data)

    def _send(self, envelope: dict[str, object], *blobs: bytes) -> None:
        self._channel.sendall(pack(envelope | {"spent": time.process_time()}, *blobs))


def _stand_back() -> None:
    """Work that wakes up interrupts nobody: an event loop on the same cores goes on.

    Its share of the cores stays the same.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # refused in some containers
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux kilobytes
