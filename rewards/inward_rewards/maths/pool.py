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

KNOWN_GOLDS = 4096

# Some 20 ms of honest work: within any sensible limits.
_PROBE = (r"\left( 3, \frac{\pi}{2} \right)", r"(3, \pi/2)")

# Not the gold itself: math-verify takes equal texts as they are, without working them out.
_PLAIN = "1"


class _Worker(NamedTuple):
    template: Template
    pid: int
    channel: Connection

    def ask(self, gold: str, answer: str) -> tuple[Reason, str | None, bool]:
        """The reason, the complaint about the gold, and whether the worker now leaves.

        Raises `EOFError` or `OSError` when the worker ends instead.
        """
        self.channel.send_bytes(json.dumps([gold, answer]).encode())
        reason, gold_error, leaves = json.loads(self.channel.recv_bytes())
        return reason, gold_error, leaves


class Pool:
    """Runs at most `workers` checks at once; starts its processes at the first one."""

    def __init__(self, workers: int, cpu_seconds: float, memory_mb: int) -> None:
        self._limits = (cpu_seconds, memory_mb)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="maths-verifier")
        self._idle: deque[_Worker] = deque()
        self._busy: set[_Worker] = set()
        self._golds: dict[str, bool] = {}  # whether each one keeps the limits by itself
        self._lock = Lock()  # guards the template, what is said to it, and `_closed`
        self._template: Template | None = None
        self._closed = False

    def submit(self, gold: str, answer: str) -> Future[Verdict]:
        """A future verdict; it raises `PoolError`, or `ValueError` for a gold that is unreadable or
        breaks the limits by itself."""
        if self._closed:
            raise PoolError("this maths verifier is closed: make a new one")
        return self._threads.submit(self._check, gold, answer)

    def _check(self, gold: str, answer: str) -> Verdict:
        verdict = self._compare(gold, answer)
        if verdict.verify_timeout and not self._keeps_limits(gold):
            cpu_seconds, memory_mb = self._limits
            raise ValueError(
                f"the gold answer {gold!r} cannot be compared even with {_PLAIN} within "
                f"cpu_seconds={cpu_seconds} and memory_mb={memory_mb}: mend or drop its row"
            )
        return verdict

    def _keeps_limits(self, gold: str) -> bool:
        """Whether a plain answer can be checked; else no answer is to blame for a broken limit."""
        if gold not in self._golds:
            if len(self._golds) >= KNOWN_GOLDS:
                self._golds.clear()
            self._golds[gold] = not self._compare(gold, _PLAIN).verify_timeout
        return self._golds[gold]

    def _compare(self, gold: str, answer: str) -> Verdict:
        for _ in range(2):
            worker = self._take()
            self._busy.add(worker)
            try:
                reason, gold_error, leaves = worker.ask(gold, answer)
            except (EOFError, OSError):
                code = self._end(worker)
                if code == -signal.SIGKILL:
                    continue  # nothing that an answer does sends this signal
                return Verdict(False, "timeout" if code == -signal.SIGPROF else "crash")
            finally:
                self._busy.discard(worker)
            if leaves:
                self._end(worker)
            else:
                self._idle.append(worker)
            if gold_error is not None:
                raise ValueError(gold_error)
            return Verdict(reason == "equal", reason)
        raise PoolError(
            "two processes of the maths verifier were killed from outside (out of memory?): "
            "give the machine more memory, or the verifier fewer workers"
        )

    def _take(self) -> _Worker:
        try:
            return self._idle.pop()
        except IndexError:
            pass
        with self._lock:
            if self._closed:
                raise PoolError("the maths verifier was closed while answers were waiting")
            if self._template is not None:
                return self._forked(self._template)
            worker = self._first()
            self._template = worker.template
            return worker

    def _first(self) -> _Worker:
        """A new template's first worker, which has shown that the limits leave room for a check."""
        template = Template(*self._limits)
        worker = self._forked(template)
        try:
            worker.ask(*_PROBE)
        except (EOFError, OSError) as error:
            template.close()
            cpu_seconds, memory_mb = self._limits
            raise PoolError(
                f"the maths verifier cannot compare {_PROBE[0]} with {_PROBE[1]} within "
                f"cpu_seconds={cpu_seconds} and memory_mb={memory_mb}: raise them (the defaults "
                "are ample)"
            ) from error
        return worker

    def _forked(self, template: Template) -> _Worker:
        try:
            return _Worker(template, *template.fork())
        except ConnectionError as error:
            raise self._lost(template) from error

    def _end(self, worker: _Worker) -> int:
        """The exit code of a worker that ended (negative: the signal that ended it)."""
        worker.channel.close()
        with self._lock:
            if self._closed:
                raise PoolError("the maths verifier was closed while an answer was in work")
            try:
                return worker.template.reap(worker.pid)
            except ConnectionError as error:
                raise self._lost(worker.template) from error

    def _lost(self, template: Template) -> PoolError:
        """Its workers may outlive a template; the next fork starts another."""
        if template is self._template:
            self._template = None
        template.close()
        return PoolError(
            "the maths verifier's template process ended from outside (out of memory?): "
            "give the machine more memory, or the verifier fewer workers"
        )

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
