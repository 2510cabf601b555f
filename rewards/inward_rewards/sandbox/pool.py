"""Work in killable processes, from any thread.

One thread a call in work: it takes an idle worker or has one forked, sends a request, and waits for
the reply or the worker's end. So a dead worker is seen at once, and its end belongs to exactly one
request. The threads are daemons and the pool is closed at exit: a program ends without waiting for
what is queued.
"""

from __future__ import annotations

import atexit
import itertools
import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from socket import socket
from typing import Any, TypeVar
from weakref import WeakSet

from inward_rewards.sandbox import blame, slots
from inward_rewards.sandbox.blame import Breach, End
from inward_rewards.sandbox.clock import Hung
from inward_rewards.sandbox.errors import PoolError
from inward_rewards.sandbox.forks import survives_forks
from inward_rewards.sandbox.frames import Message, pack
from inward_rewards.sandbox.template import Limits, Lost, Program, Template, Worker

ResultT = TypeVar("ResultT")
_Job = Callable[[], None]

SEEK_SECONDS = 0.02
"""Between two looks for a free place on the machine."""
YIELD_SECONDS = 0.1
"""How long a pool that gave up a place leaves it to who asked."""


class Pool:
    """Runs at most `workers` calls at once, and as many as the machine's budget has room for; the
    budget by default. Starts its processes at the first call.

    `error` is raised for the machine's faults. `probe` is a request that any sensible limits have
    room for: the pool does not start where it breaks them.
    """

    def __init__(
        self,
        program: Program,
        limits: Limits,
        workers: int | None = None,
        error: type[PoolError] = PoolError,
        probe: dict[str, Any] | None = None,
    ) -> None:
        self._program, self._limits, self._workers = program, limits, workers
        self._error, self._probe = error, probe
        self._closed = False
        self._reset()
        survives_forks(self)
        _pools.add(self)

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._starting = threading.Lock()
        self._jobs: queue.SimpleQueue[tuple[Future[Any], _Job] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._free_threads = threading.Semaphore(0)
        self._submitting = threading.Lock()
        self._seeking = False
        self._yields_until = 0.0
        self._probed = False
        self._oom_kills = blame.oom_kills()
        self._idle: deque[Worker] = deque()
        self._template: Template | None = None

    def after_fork(self) -> None:
        """A forked child of the program begins anew: threads and processes are the parent's."""
        self._reset()

    def submit(self, work: Callable[..., ResultT], *args: Any) -> Future[ResultT]:
        """Runs `work`, which may `call`, in a thread of the pool. Never waits."""
        future: Future[ResultT] = Future()

        def job() -> None:
            try:
                result = work(*args)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        # Not `_changed`, which the threads at work take all the time: this is an event loop's call.
        with self._submitting:
            if self._closed:
                raise self._error(f"{self._program.name} is closed: make a new one")
            grows = not self._free_threads.acquire(blocking=False) and self._may_grow()
            self._jobs.put((future, job))
            if grows:
                thread = threading.Thread(target=self._run, name=self._program.name, daemon=True)
                thread.start()  # first: one that cannot start would count for ever
                self._threads.append(thread)
        return future

    def _may_grow(self) -> bool:
        """Whether there may be another thread. Raises `ValueError` for a budget that is none."""
        budget = slots.budget()
        return len(self._threads) < min(self._workers or budget, budget)

    def call(self, header: dict[str, Any], *blobs: bytes) -> Message | Breach:
        """A request's reply, or which limit it broke; blocks. Raises `error` for the machine's
        fault (the table in `blame`)."""
        request = pack(header, *blobs)
        ends: list[End] = []
        while (decided := blame.verdict(ends)) is None:
            try:
                reply = self._once(request, fresh=bool(ends))
            except _Ended as ended:
                ends.append(ended.end)
            else:
                return reply
        if decided.breach is None:
            raise self._error(f"{self._program.name}, twice in a row: {decided.cause}")
        return decided.breach

    def close(self) -> None:
        """Kills the processes; calls still waiting or in work raise `error`."""
        with self._submitting, self._changed:
            self._closed = True
            template, self._template = self._template, None
            self._changed.notify_all()
        waiting = []
        with suppress(queue.Empty):
            while True:
                if (job := self._jobs.get_nowait()) is not None:
                    waiting.append(job[0])
        for _ in self._threads:
            self._jobs.put(None)
        if template is not None:
            template.close()
        closed = self._error(f"{self._program.name} was closed while a request was waiting")
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(closed)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        for worker in self._idle:
            worker.channel.close()

    def _run(self) -> None:
        while True:
            try:
                item = self._jobs.get_nowait()
            except queue.Empty:
                self._free_threads.release()
                item = self._jobs.get()
            if item is None:
                return
            future, job = item
            if future.set_running_or_notify_cancel():
                job()
            del future, job, item  # no result is kept until the next request

    def _once(self, request: bytes, fresh: bool) -> Message:
        """One try; `fresh` on a process that has seen no other request. Raises `_Ended`."""
        while True:
            try:
                worker = self._take(fresh)
                envelope, blobs = self._ask(worker, request)
            except _Left:
                continue
            self._put(worker, envelope)
            return envelope["reply"], blobs

    def _ask(self, worker: Worker, request: bytes) -> tuple[dict[str, Any], list[bytes]]:
        try:
            envelope, blobs = worker.ask(request)
        except (EOFError, OSError):
            code, spent = self._end(worker)
            if code == blame.LEFT:
                raise _Left from None
            out_of_memory = blame.oom_kills() > self._oom_kills
            end = blame.of_exit(code, spent - worker.spent, self._limits.cpu_seconds, out_of_memory)
            raise _Ended(end) from None
        except Hung as hung:
            self._end(worker, kill=True)
            raise _Ended(blame.of_wall_clock(str(hung))) from None
        except ValueError:  # no message of ours
            self._end(worker, kill=True)
            raise _Ended(blame.of_exception(traceback.format_exc())) from None
        if "fault" in envelope:
            self._end(worker)
            raise _Ended(blame.of_exception(envelope["fault"]))
        return envelope, blobs

    def _take(self, fresh: bool) -> Worker:
        """An idle worker or, once the machine has a place for it, another one."""
        with self._changed:
            # One thread of a pool looks for a place, the others wait for it or for a worker.
            while self._seeking and (fresh or not self._idle) and not self._closed:
                self._changed.wait()
            self._check_open("was waiting")
            if self._idle and not fresh:
                return self._idle.pop()
            self._seeking = True
        try:
            found = self._seek(fresh)
        finally:
            with self._changed:
                self._seeking = False
                self._changed.notify_all()
        return found if isinstance(found, Worker) else self._forked(found)

    def _seek(self, fresh: bool) -> Worker | socket:
        """An idle worker, or a slot for another one."""
        for turn in itertools.count():
            with self._changed:
                self._check_open("was waiting")
                if self._idle and not fresh:
                    return self._idle.pop()
            if time.monotonic() >= self._yields_until:
                slot = slots.take()
                if slot is not None:
                    return slot
                slots.ask(turn)
            with self._changed:
                self._changed.wait(SEEK_SECONDS)
        raise AssertionError

    def _forked(self, slot: socket) -> Worker:
        with slot:
            template = self._running_template()
            try:
                worker = template.fork(slot)
            except Lost as lost:
                raise self._lost(template, lost) from lost
        try:
            self._welcome(worker)
        except _Ended as ended:
            if ended.end.breach is None:
                raise
            raise _Ended(blame.of_limits(str(self._limits))) from None
        return worker

    def _welcome(self, worker: Worker) -> None:
        """Waits until a new worker is ready, and has shown that the limits leave room."""
        self._ask(worker, b"")
        if self._probe is not None and not self._probed:
            self._ask(worker, pack(self._probe))
            self._probed = True

    def _running_template(self) -> Template:
        with self._starting:
            if self._template is None:
                self._start_template()
            template = self._template
        if template is None:
            self._check_open("was waiting")
            raise _Ended(blame.of_template("at once"))
        return template

    def _start_template(self) -> None:
        try:
            template = Template(self._program, self._limits)
            with self._changed:
                self._template = None if self._closed else template
            if self._template is None:
                template.close()
            else:
                template.wait_ready()
        except PoolError as error:
            self._check_open("was waiting")
            self._template = None
            raise self._error(str(error)) from error

    def _put(self, worker: Worker, envelope: dict[str, Any]) -> None:
        """Keeps a worker for the next request, unless it leaves."""
        if envelope["grown"] or envelope["asked"]:
            with suppress(_Ended):
                self._end(worker)
            if envelope["asked"]:
                self._yields_until = time.monotonic() + YIELD_SECONDS
            return
        with self._changed:
            if self._closed:
                worker.channel.close()
            self._idle.append(worker)
            self._changed.notify_all()

    def _end(self, worker: Worker, kill: bool = False) -> tuple[int, float]:
        """The exit code of a worker that ended, and all its CPU seconds. Raises `_Ended`."""
        self._check_open("was in work")
        try:
            return worker.template.end(worker, kill)
        except Lost as lost:
            raise self._lost(worker.template, lost) from lost

    def _lost(self, template: Template, lost: Lost) -> _Ended | PoolError:
        """The next call starts another template."""
        self._check_open("was in work")
        self._drop(template)
        return _Ended(blame.of_template(str(lost)))

    def _drop(self, template: Template) -> None:
        with self._changed:
            if template is self._template:
                self._template = None
        template.close()

    def _check_open(self, what: str) -> None:
        if self._closed:
            raise self._error(f"{self._program.name} was closed while a request {what}")


class _Ended(Exception):  # noqa: N818 -- internal: it names what the worker is
    def __init__(self, end: End) -> None:
        self.end = end


class _Left(Exception):  # noqa: N818 -- internal: an idle worker made room for another program's
    pass


_pools: WeakSet[Pool] = WeakSet()


@atexit.register
def _close_all() -> None:
    for pool in list(_pools):
        pool.close()
