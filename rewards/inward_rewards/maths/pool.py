"""A pool of killable processes that check answers.

One thread a busy worker, from a `ThreadPoolExecutor`: it takes an idle worker or forks one, sends
an answer, and blocks until the verdict or the worker's end. So the queue, the futures and the
cancelling are the standard library's, a dead worker is seen at once, and a worker's end belongs to
exactly one answer.
"""

import json
import signal
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from threading import Lock
from typing import NamedTuple

from inward_rewards.maths.template import PoolError, Template
from inward_rewards.maths.verdict import Reason, Verdict


class _Worker(NamedTuple):
    pid: int
    channel: Connection


class Pool:
    """Runs at most `workers` checks at once; starts its processes at the first one."""

    def __init__(self, workers: int, cpu_seconds: float, memory_mb: int) -> None:
        self._limits = (cpu_seconds, memory_mb)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="maths-verifier")
        self._idle: deque[_Worker] = deque()
        self._busy: set[_Worker] = set()
        self._lock = Lock()  # guards the template and `_closed`
        self._template: Template | None = None
        self._closed = False

    def submit(self, gold: str, answer: str) -> Future[Verdict]:
        """A future verdict; it raises `PoolError`, or `ValueError` for an unreadable gold."""
        if self._closed:
            raise PoolError("this maths verifier is closed: make a new one")
        return self._threads.submit(self._check, gold, answer)

    def _check(self, gold: str, answer: str) -> Verdict:
        worker = self._take()
        self._busy.add(worker)
        try:
            worker.channel.send_bytes(json.dumps([gold, answer]).encode())
            reason, gold_error, last = json.loads(worker.channel.recv_bytes())
        except (EOFError, OSError):
            return Verdict(False, self._end(worker))
        finally:
            self._busy.discard(worker)
        if last:
            self._end(worker)
        else:
            self._idle.append(worker)
        if gold_error is not None:
            raise ValueError(gold_error)
        return Verdict(reason == "equal", reason)

    def _take(self) -> _Worker:
        try:
            return self._idle.pop()
        except IndexError:
            pass
        with self._lock:
            if self._closed:
                raise PoolError("this maths verifier was closed while answers were waiting")
            if self._template is None:
                self._template = Template(*self._limits)
            try:
                return _Worker(*self._template.fork())
            except PoolError:
                self._template.close()
                self._template = None  # the next answer starts another
                raise

    def _end(self, worker: _Worker) -> Reason:
        """Why a worker ended."""
        worker.channel.close()
        with self._lock:
            if self._closed or self._template is None:
                raise PoolError("the maths verifier's processes were ended while they worked")
            code = self._template.reap(worker.pid)
        return "timeout" if code == -signal.SIGPROF else "crash"

    def close(self) -> None:
        """Kills the processes; answers still waiting or in work raise `PoolError`."""
        with self._lock:
            self._closed = True
            template, self._template = self._template, None
        if template is not None:
            template.close()
        self._threads.shutdown()
        for worker in self._idle:
            worker.channel.close()

    def forget(self) -> None:
        """After a fork of the program, in the child: drops the parent's processes, unharmed."""
        if self._template is not None:
            self._template.forget()
        for worker in (*self._idle, *self._busy):
            worker.channel.close()
