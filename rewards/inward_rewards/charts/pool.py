"""Worker processes, the clock over them, and whose fault a death is."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from . import limits
from .errors import RendererDown, RenderError
from .frames import Message, pack, unpack

START_SECONDS = 120.0
REPLY_SECONDS = 120.0
"""Wall time, against a process that sleeps for ever; work is limited by its CPU time."""
ENTRY = (
    "import sys; sys.path.insert(0, sys.argv[3]); "
    "from inward_rewards.charts.worker import main; main(float(sys.argv[1]), int(sys.argv[2]))"
)


class _Worker:
    """One process. Every method blocks."""

    def __init__(self, folder: str) -> None:
        package_root = str(Path(__file__).parents[2])
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-c", ENTRY),
                *(str(limits.CPU_SECONDS), str(limits.MEMORY_BYTES), package_root),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "TZ": "UTC", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )
        try:
            self._receive(START_SECONDS)
        except (EOFError, TimeoutError) as error:
            self.kill()
            assert self._process.stderr is not None
            said = self._process.stderr.read().decode(errors="replace").strip()[-2000:]
            raise RendererDown(f"the chart renderer did not start: {said or error}") from error

    def call(self, request: bytes) -> Message:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(request)
        except BrokenPipeError as error:
            raise EOFError from error
        return self._receive(REPLY_SECONDS)

    def kill(self) -> int:
        """Ends the process; returns how it ended, or had ended before."""
        if self._process.poll() is None:
            self._process.kill()
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        return code

    def ended(self) -> int:
        """How a process that closed its pipes ended."""
        self._process.wait(timeout=START_SECONDS)
        return self.kill()

    def _receive(self, seconds: float) -> Message:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        deadline = time.monotonic() + seconds

        def take(size: int) -> bytes:
            data = bytearray()
            while len(data) < size:
                if not poll.poll(1000 * max(0.0, deadline - time.monotonic())):
                    raise TimeoutError(f"no answer in {seconds:g} s of wall time")
                chunk = os.read(descriptor, size - len(data))
                if not chunk:
                    raise EOFError("it ended")
                data += chunk
            return bytes(data)

        return unpack(take)


class Pool:
    """As many workers as calls at a time. Usable from any thread; every method blocks."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="inward-charts-")
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()

    def call(self, header: dict[str, Any], *blobs: bytes) -> Message:
        """One request and its reply. Raises `RenderError` or `RendererDown`."""
        request = pack(header, *blobs)
        try:
            return self._once(request)
        except _Died:
            # Once more on a fresh process: the machine may have been at fault.
            try:
                return self._once(request)
            except _Died as death:
                raise death.verdict from None

    def close(self) -> None:
        """Ends the workers. No call may be under way."""
        for worker in self._idle:
            worker.kill()
        self._folder.cleanup()

    def _once(self, request: bytes) -> Message:
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        worker = worker or _Worker(self._folder.name)
        try:
            header, blobs = worker.call(request)
        except EOFError:
            raise _death(worker.ended()) from None
        except (TimeoutError, ValueError) as error:
            worker.kill()
            raise RendererDown(f"the chart renderer gave {error}") from error
        with self._lock:
            self._idle.append(worker)
        for verdict in ("refused", "failed"):
            if verdict in header:
                raise RenderError(header[verdict])
        if "fault" in header:
            raise RendererDown(f"the chart renderer has a fault:\n{header['fault']}")
        return header, blobs


class _Died(Exception):  # noqa: N818 -- internal: a process that ended on a request
    def __init__(self, verdict: RenderError | RendererDown) -> None:
        self.verdict = verdict


def _death(code: int) -> Exception:
    if code == -signal.SIGPROF:
        return RenderError(f"drawing it takes more than {limits.CPU_SECONDS:g} s of CPU time")
    if code == -signal.SIGKILL:
        return _Died(RendererDown("the chart renderer was killed twice: is memory short?"))
    return _Died(
        RenderError(
            f"drawing it takes more than {limits.MEMORY_BYTES >> 20} MiB of memory, or breaks the "
            "renderer"
        )
    )
