"""Whose fault it is when a worker gives no reply.

| what happened                                           | whose fault                            |
|---------------------------------------------------------|----------------------------------------|
| SIGPROF, and it used its CPU limit on this request      | the answer's: `Breach.CPU`             |
| a `MemoryError`, or its program calls itself `Broken`   | the answer's if it happens twice, the  |
| SIGABRT SIGSEGV SIGBUS SIGILL SIGFPE SIGTRAP SIGSYS     | second time in a fresh process:        |
|   (what a fault or a refused allocation in C code sends)|   `Breach.CRASH`                       |
| any other signal: KILL TERM HUP INT XCPU, early PROF    | the machine's: once more in a fresh    |
| the wall clock ran out (stopped, asleep)                | process, then `PoolError`              |
| an exception in our own program, any other exit         |                                        |
| the template ended; limits leave no room for any work   |                                        |
| it left to make room for another program's worker       | nobody's: asked again                  |

The CPU time is the kernel's account of the ended process. The wall clock is never the answer's
fault: what an answer can do, it pays for in CPU time.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

MEMORY, BROKEN, LEFT = 70, 71, 72
"""Exit codes of a worker."""
FAULTS = {
    signal.SIGABRT,
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGILL,
    signal.SIGFPE,
    signal.SIGTRAP,
    signal.SIGSYS,
}
CLOCK_SHARE = 0.75
"""Of the CPU limit: the timer counts in ticks, and the kernel's account is off by a tenth."""
MENDS = {
    signal.SIGXCPU: "a limit on CPU time stands over this program (`ulimit -t`): lift it",
    signal.SIGINT: "a Ctrl-C that reaches more than the program in front: run again",
    signal.SIGTERM: "something ends processes here (a scheduler, a shutdown): run again",
    signal.SIGHUP: "the session that started this program has ended: run it under nohup or tmux",
    signal.SIGPROF: "a profiler sends signals to every process here: switch it off",
}


class Breach(Enum):
    """A limit that a request broke by itself."""

    CPU = "cpu"
    CRASH = "crash"


@dataclass(frozen=True)
class End:
    """How a worker ended instead of replying."""

    breach: Breach | None
    """None: the machine's fault."""
    cause: str


def of_exit(code: int, spent: float, cpu_seconds: float, out_of_memory: bool) -> End:
    """The end of a process with this exit code (negative: the signal that ended it).

    `spent` is its CPU time since the request; `out_of_memory` says whether the kernel has killed
    anything for want of memory since the pool began.
    """
    if code == -signal.SIGPROF and spent >= CLOCK_SHARE * cpu_seconds:
        return End(Breach.CPU, "")
    if code in (MEMORY, BROKEN) or -code in FAULTS:
        return End(Breach.CRASH, "")
    if code >= 0:
        return End(None, f"its process ended with code {code} on its own: this is a fault of ours")
    name = signal.Signals(-code).name
    if code == -signal.SIGKILL:
        mend = (
            "the kernel has killed processes for want of memory: give the machine more, or set "
            "INWARD_WORKERS lower"
            if out_of_memory
            else "out of memory? Then give the machine more, or set INWARD_WORKERS lower"
        )
    else:
        mend = MENDS.get(signal.Signals(-code), "nothing in a request sends it: run again")
    return End(None, f"its processes were killed from outside by {name}: {mend}")


def of_wall_clock(state: str) -> End:
    return End(
        None,
        f"its processes stopped making progress ({state}): let them run (`kill -CONT`, a frozen "
        "container), or give the machine less to do at once",
    )


def of_exception(trace: str) -> End:
    return End(None, f"an exception in its own code, which is a fault of ours:\n{trace}")


def of_limits(limits: str) -> End:
    """Where a new worker breaks them on a small known piece of work."""
    return End(None, f"even a small known piece of work breaks its limits, {limits}: raise them")


def of_template(cause: str) -> End:
    return End(
        None,
        f"its template process ended from outside ({cause}): out of memory, or of processes "
        "(`ulimit -u`)? Give the machine more, or set INWARD_WORKERS lower",
    )


def verdict(ends: list[End]) -> End | None:
    """What a request's ends so far decide; None: try, again in a fresh process."""
    if not ends:
        return None
    last = ends[-1]
    if last.breach is Breach.CPU:
        return last
    same = [end for end in ends if end.breach is last.breach]
    return last if len(same) > 1 else None


def oom_kills() -> int:
    """Processes that the kernel has killed for want of memory since it started, where it says."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
