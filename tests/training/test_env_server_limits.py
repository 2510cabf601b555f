"""The env server where the machine has no memory or no room on its disk: real limits."""

import asyncio
import contextlib
import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.processes import workers as children
from training.env_servers import (
    ANSWER_S,
    ends,
    outcome,
    play,
    processes,
    run,
    serve,
    served_policy,
    serving,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
MEMORY = {"idx": 0, "prompt": "Say y", "letter": "memory"}
"""Scoring takes a gigabyte."""
PROC = Path("/proc")
SELF = PROC / "self"


@pytest.fixture
async def policy():
    async with served_policy() as policy:
        policy.open.set()
        yield policy


def size(pid):
    """The address space of a process, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmSize:\s+(\d+) kB", status)[1]) * 1024


async def test_memory_that_the_system_refuses_fails_that_episode_alone(policy):
    """As under `ulimit -v`."""
    async with serving() as (broker, client):
        worker = processes(broker)
        limit = size(worker[0]) + 2**28
        resource.prlimit(worker[0], resource.RLIMIT_AS, (limit, limit))
        hungry, others = run(client, policy, MEMORY), play(client, policy, 4)
        assert await ends(others) == ([1.0] * 4, [])
        [trace] = (await hungry).traces
        assert not trace.ok
        assert "MemoryError" in trace.errors[-1].message
        assert await ends(play(client, policy, 4)) == ([1.0] * 4, [])
        assert processes(broker) == worker


LIMITS = {"/sys/fs/cgroup/memory": "memory.limit_in_bytes", "/sys/fs/cgroup": "memory.max"}


@pytest.fixture
def little_memory():
    """A control group, of version 1 or 2, whose processes may take 64 MB more than they have."""
    for root, limit in LIMITS.items():
        group = Path(root, f"inward-test-{os.getpid()}")
        try:
            group.mkdir()
            (group / limit).write_text(str(2**26))
        except OSError:
            with contextlib.suppress(OSError):
                group.rmdir()
        else:
            break
    else:
        pytest.skip("no control group with a limit on memory can be made here: it takes root")
    yield group
    deadline = time.monotonic() + 30
    while (group / "cgroup.procs").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    group.rmdir()


async def test_a_worker_that_the_kernel_ends_for_its_memory(policy, little_memory):
    async with serving() as (broker, client):
        [worker] = processes(broker)
        # It goes before the broker, wherever the limit is.
        chosen = [int((proc / "oom_score_adj").read_text()) for proc in (PROC / str(worker), SELF)]
        assert chosen[0] > chosen[1]
        (little_memory / "cgroup.procs").write_text(str(worker))
        done, failed = await ends([run(client, policy, MEMORY)])
        assert done == []
        assert failed == [
            f"EnvWorkerLost: env worker {worker} was killed by SIGKILL"
            " (by hand, or for want of memory)"
        ]
        assert await ends(play(client, policy, 4)) == ([1.0] * 4, [])


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte and 400 files."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=400", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no command mount here")
    if done.returncode:
        pytest.skip("no small file system can be mounted here: it takes root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(file):
    with file.open("wb", 0) as written:
        while True:
            written.write(b"x" * 4096)


def crowd(folder):
    for number in range(1000):
        (folder / str(number)).touch()


@contextlib.contextmanager
def full(disk):
    """While it lasts, neither a byte nor a file more has room."""
    filler = disk / "filler"
    filler.mkdir()
    with pytest.raises(OSError, match="No space left"):
        fill(filler / "bytes")
    with pytest.raises(OSError, match="No space left"):
        crowd(filler)
    yield
    for file in filler.iterdir():
        file.unlink()


async def test_a_disk_that_is_full(small_disk, monkeypatch, policy):
    """Caches, folders of rollouts, sockets and logs of all that the server starts are on it."""
    for variable, name in (("HOME", "home"), ("TMPDIR", "tmp"), ("XDG_CACHE_HOME", "cache")):
        (small_disk / name).mkdir()
        monkeypatch.setenv(variable, str(small_disk / name))
    async with serve("copy-letter", "--workers", "1") as (process, client):

        async def outcomes(count):
            async with asyncio.timeout(ANSWER_S):
                ended = await asyncio.gather(*play(client, policy, count), return_exceptions=True)
            return [outcome(e) for e in ended]

        assert await outcomes(4) == ["ok"] * 4
        with full(small_disk):
            assert all("No space left on device" in o for o in await outcomes(8))
            [worker] = [w for child in children(process.pid) for w in children(child)]
            os.kill(worker, signal.SIGKILL)
            ended = await outcomes(4)
            assert all(o.startswith("EnvWorkerLost: ") for o in ended), ended
        # With room again, a worker starts again: the longest pause is 30 s.
        deadline = time.monotonic() + ANSWER_S
        while await outcomes(1) != ["ok"]:
            assert time.monotonic() < deadline
            await asyncio.sleep(1)
        assert await outcomes(4) == ["ok"] * 4
