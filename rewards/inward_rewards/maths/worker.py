"""The processes that may be killed: a template, and the workers that it forks.

`python -P -m inward_rewards.maths.worker CONTROL_FD CPU_SECONDS MEMORY_BYTES`

The template imports math-verify once (1.6 CPU-seconds, 90 MB), then forks a worker in milliseconds
whenever the pool asks: at its start, and after each kill. It has one thread and never sees an
answer. It is a program of its own rather than a `multiprocessing` process because those import the
caller's main module again (spawn, forkserver) or copy its locks (fork).

The worker's clock is the kernel's profiling timer, set when an answer arrives. It counts the CPU
time of this process alone, so waiting on a loaded machine costs nothing, and its default action
ends the process inside C code too, where no Python signal handler would run.
"""

import json
import os
import resource
import signal
import socket
import sys
from multiprocessing.connection import Connection
from typing import NoReturn

from inward_rewards.maths.check import UnreadableGoldError, check
from inward_rewards.maths.template import FORK, MESSAGE

# An honest answer needs a few megabytes beyond what the process starts with.
_ROOM = 32 << 20
# What parsing and comparing compile and cache at their first use, every worker then inherits.
_WARM_UP = [
    (r"\frac{\sqrt{3}}{2}", r"\frac{3}{2\sqrt{3}}"),
    (r"(-\infty, 2) \cup [3, \infty)", r"x < 2 \text{ or } x \ge 3"),
    (r"\begin{pmatrix} 1/5 \\ -2 \end{pmatrix}", r"\begin{pmatrix} 0.2 \\ -2 \end{pmatrix}"),
    (r"y = 2x^2 + 3", "2x^2 - y + 3 = 0"),
    (r"\{1 \pm \sqrt{5}, -2\}", r"-2, 1 - \sqrt{5}, 1 + \sqrt{5}"),
    (r"6 - 5i", r"\text{none}"),
]


def serve(control: socket.socket, cpu_seconds: float, memory_bytes: int) -> None:
    """Forks a worker (a message with a socket) or reaps one (its pid), until the pool closes."""
    living: set[int] = set()
    for pair in _WARM_UP:
        check(*pair)
    control.sendall(MESSAGE.pack(os.getpid()))
    while True:
        message, fds, _, _ = socket.recv_fds(control, MESSAGE.size, 1)
        if not message:
            break
        (pid,) = MESSAGE.unpack(message)
        if pid == FORK:
            child = os.fork()
            if child == 0:
                control.close()
                _run(Connection(fds[0]), cpu_seconds, memory_bytes)
            os.close(fds[0])
            living.add(child)
            control.sendall(MESSAGE.pack(child))
        else:
            _, status = os.waitpid(pid, 0)
            living.remove(pid)
            control.sendall(MESSAGE.pack(os.waitstatus_to_exitcode(status)))
    for pid in living:
        os.kill(pid, signal.SIGKILL)


def _run(channel: Connection, cpu_seconds: float, memory_bytes: int) -> NoReturn:
    code = 1
    try:
        _limit(memory_bytes)
        _work(channel, cpu_seconds, memory_bytes)
        code = 0
    finally:
        os._exit(code)  # never back into the template's loop


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bytearray(_ROOM)  # MemoryError: the limit leaves no room to work in


def _work(channel: Connection, cpu_seconds: float, memory_bytes: int) -> None:
    """Answers until the pool hangs up, or until this process has grown.

    What a huge answer leaves in sympy's caches would starve the honest answers after it.
    """
    ceiling = _peak_bytes() + memory_bytes // 4
    leaves = False
    while not leaves:
        try:
            gold, answer = json.loads(channel.recv_bytes())
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        try:
            reason, error = check(gold, answer), None
        except UnreadableGoldError as unreadable:
            reason, error = "unreadable", str(unreadable)
        signal.setitimer(signal.ITIMER_PROF, 0)
        leaves = _peak_bytes() > ceiling
        channel.send_bytes(json.dumps([reason, error, leaves]).encode())


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux kilobytes


def main() -> None:
    control, cpu_seconds, memory_bytes = sys.argv[1:]
    # A program may leave both of these to its children, and the limit would not hold.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGPROF])
    serve(socket.socket(fileno=int(control)), float(cpu_seconds), int(memory_bytes))


if __name__ == "__main__":
    main()
