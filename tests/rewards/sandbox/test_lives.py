"""Forks, ends and leftovers: what becomes of the processes, for maths and charts alike."""

import asyncio
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rewards.charts.hostile import bar
from rewards.sandbox.conftest import TESTS
from support.processes import alive, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

OPENED = {
    "maths": """
        from inward_rewards.maths import verifier
        verifier.PROGRAM = replace(verifier.PROGRAM, module="rewards.sandbox.faulty_maths")
        opened = verifier.default_verifier()
        honest = lambda: opened.verify_sync(r"\\sqrt{8}", r"2\\sqrt{2}").correct
        ask = lambda word: opened.verify_sync(r"\\sqrt{2}", word)
        """,
    "charts": """
        from inward_rewards.charts import renderer
        from rewards.charts.hostile import bar
        renderer.PROGRAM = replace(renderer.PROGRAM, module="rewards.sandbox.faulty_charts")
        opened = renderer.shared_renderer()
        honest = lambda: bool(opened.render_sync(bar()).png)
        ask = lambda word: opened.render_sync(bar(title=word))
        """,
}
ENDS = {
    "nothing closed": "",
    "work in hand": """
        threading.Thread(target=ask_and_hide, daemon=True).start()
        time.sleep(0.5)
        """,
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "killed with work in hand": """
        threading.Thread(target=ask_and_hide, daemon=True).start()
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
}


def script(kind, end):
    lines = [
        "import os, signal, threading, time",
        "from dataclasses import replace",
        *(line.strip() for line in OPENED[kind].splitlines()),
        "from support.processes import templates, workers",
        "def ask_and_hide():",
        "    try: ask('sleep')",
        "    except RuntimeError: pass",
        "assert honest()",
        "(template,) = templates(os.getpid())",
        "print(template, *workers(template), flush=True)",
        *(line.strip() for line in ENDS[end].splitlines()),
    ]
    return "\n".join(lines)


# A program of its own takes seconds to start: each end once by default.
BY_DEFAULT = {
    ("maths", "nothing closed"),
    ("maths", "killed with work in hand"),
    ("charts", "work in hand"),
    ("charts", "killed"),
}


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        pytest.param(*pair, marks=[] if pair in BY_DEFAULT else pytest.mark.slow)
        for pair in itertools.product(OPENED, ENDS)
    ],
)
def test_nothing_is_left(kind, end, tmp_path):
    """No process, no file: an unguarded script, however it ends."""
    done = subprocess.run(
        [sys.executable, "-c", script(kind, end)],
        env={**os.environ, "PYTHONPATH": str(TESTS), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr == ""
    assert done.returncode == (-signal.SIGKILL if "killed" in end else 0)
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) >= 2
    wait_until(lambda: not any(alive(pid) for pid in pids))
    assert list(tmp_path.iterdir()) == []


def in_a_child(work):
    """What `work` returns in a forked child."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with os.fdopen(write, "wb") as pipe:
                pipe.write(pickle.dumps(work()))
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    os.waitpid(pid, 0)
    return pickle.loads(data)


def test_a_forked_child_has_a_pool_of_its_own(user):
    user.honest()
    template = user.template

    def work():
        user.honest()
        found = user.template
        user.opened.close()
        return found

    assert in_a_child(work) != template
    assert alive(template)
    user.honest()


def test_a_fork_with_work_in_hand(own_user):
    """The child does not wait for the parent's work, and keeps nothing of the parent's alive."""
    user = own_user
    user.honest()
    waiting = user.asking("sleep")
    template = user.template
    wait_until(lambda: user.pool._jobs.empty())
    ended, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(end)
        os.read(ended, 1)  # lives on with what it copied
        os._exit(0)
    os.close(ended)
    user.opened.close()
    assert isinstance(waiting.exception(30), user.machine)
    assert not alive(template)
    os.close(end)
    assert os.waitpid(pid, 0)[1] == 0


def count_calls(user, monkeypatch):
    calls = []
    call = user.pool.call
    monkeypatch.setattr(user.pool, "call", lambda *args: (calls.append(args), call(*args))[1])
    return calls


def test_equal_requests_are_worked_out_once(user, monkeypatch):
    user.honest()
    calls = count_calls(user, monkeypatch)
    barrier = threading.Barrier(8)

    def one():
        barrier.wait()
        return repr(user.ask("equal"))

    with ThreadPoolExecutor(8) as threads:
        found = {future.result() for future in [threads.submit(one) for _ in range(8)]}
    assert len(found) == 1
    assert len(calls) == 1


def test_a_cancelled_caller_takes_nothing_from_the_others(user):
    def ask():
        if hasattr(user.opened, "verify"):
            return user.opened.verify(r"\sqrt{2}", "cancelled")
        return user.opened.render(bar(title="cancelled"))

    async def both():
        one, other = (asyncio.ensure_future(ask()) for _ in range(2))
        await asyncio.sleep(0)
        one.cancel()
        return await asyncio.gather(one, other, return_exceptions=True)

    cancelled, found = asyncio.run(both())
    assert isinstance(cancelled, asyncio.CancelledError)
    assert not isinstance(found, Exception)


def test_the_worker_sees_no_secrets_and_no_language(user):
    """Both stand in the environment of this module's `user`."""
    user.honest()
    for pid in (user.template, user.worker()):
        seen = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"INWARD_TEST_KEY" not in seen
        assert b"de_DE" not in seen
        assert b"PYTHONPATH" in seen
        assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")


@pytest.fixture(scope="module", autouse=True)
def environment():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INWARD_TEST_KEY", "secret")
        patch.setenv("LANG", "de_DE.UTF-8")
        yield
