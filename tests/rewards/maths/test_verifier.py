"""The public verifier: from threads, from async code, after a fork, and at its limits."""

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

import inward_rewards
import pytest
from inward_rewards.maths import PoolError, Verdict, Verifier, default_verifier, verify

EQUAL = Verdict(True, "equal")
SLOW_PAIR = (r"\sqrt{8}", r"2\sqrt{2}")  # not for the fast path
NUMBERS = itertools.count(1000)


def fresh_pair():
    """A pair for the pool that no verifier remembers."""
    k = next(NUMBERS)
    return rf"\sqrt{{{4 * k}}}", rf"2\sqrt{{{k}}}"


@pytest.fixture(scope="module")
def verifier():
    with Verifier(workers=2, cpu_seconds=2) as one:
        yield one


def test_slow_and_fast_path(verifier):
    assert verifier.verify_sync("1/2", "0.5") == EQUAL
    assert verifier.verify_sync(*SLOW_PAIR) == EQUAL
    assert verifier.verify_sync(r"\sqrt{8}", r"2\sqrt{3}") == Verdict(False, "different")


@pytest.mark.parametrize(
    ("answer", "correct"),
    [("5 cm", True), (r"5 \text{ apples}", True), ("5 apples", False)],
)
def test_only_known_units_and_words_in_a_text_command_are_ignored(verifier, answer, correct):
    assert verifier.verify_sync("5", answer).correct is correct


async def test_from_async_code(verifier):
    pairs = [(rf"\sqrt{{{4 * k}}}", rf"2\sqrt{{{k}}}") for k in range(2, 40)]
    verdicts = await asyncio.gather(*(verifier.verify(*pair) for pair in pairs))
    assert verdicts == [EQUAL] * len(pairs)


def test_from_threads_and_two_loops(verifier):
    def one_loop(k):
        return asyncio.run(verifier.verify(rf"\sqrt{{{4 * k}}}", rf"2\sqrt{{{k}}}"))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(one_loop, range(2, 34))) == [EQUAL] * 32


def test_a_cancelled_caller_leaves_the_pool_usable(verifier):
    async def impatient():
        waiting = [asyncio.ensure_future(verifier.verify(r"\pi", "(10^8)!")) for _ in range(6)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert all(isinstance(end, asyncio.CancelledError) for end in asyncio.run(impatient()))
    assert verifier.verify_sync(*fresh_pair()) == EQUAL


def test_empty_and_over_long_answers_are_wrong(verifier):
    assert verifier.verify_sync("5", " \n ") == Verdict(False, "empty")
    long = verifier.verify_sync("5", "5" * 2001)
    assert long == Verdict(False, "too_long")
    assert long.verify_timeout
    assert not verifier.verify_sync("5", "6").verify_timeout


@pytest.mark.parametrize("gold", ["", "   ", "5" * 2001])
def test_a_bad_gold_raises(verifier, gold):
    with pytest.raises(ValueError, match="mend or drop its row"):
        verifier.verify_sync(gold, "5")


async def test_default_verifier_is_shared():
    assert default_verifier() is default_verifier()
    assert await verify(*SLOW_PAIR) == EQUAL


def test_after_a_fork_both_sides_work():
    with Verifier(workers=1) as verifier:
        assert verifier.verify_sync(*fresh_pair()) == EQUAL
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                with os.fdopen(write, "wb") as pipe:
                    pipe.write(pickle.dumps(verifier.verify_sync(*fresh_pair())))
                verifier.close()
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            assert pickle.loads(pipe.read()) == EQUAL
        os.waitpid(pid, 0)
        assert verifier.verify_sync(*fresh_pair()) == EQUAL


def test_an_unguarded_script_and_its_exit():
    """No `if __name__ == "__main__"`, nothing closed: it still answers and leaves no process."""
    script = (
        "import asyncio\n"
        "from inward_rewards.maths import default_verifier, verify\n"
        "print(asyncio.run(verify(r'\\sqrt{8}', r'2\\sqrt{2}')).correct)\n"
        "print(default_verifier()._pool._template._process.pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    correct, pid = done.stdout.split()
    assert correct == "True"
    assert done.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_the_clock_of_a_program_that_ignores_it():
    """An ignored or blocked SIGPROF is inherited by the processes that the limit should end."""
    before = signal.signal(signal.SIGPROF, signal.SIG_IGN)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPROF])
    try:
        with Verifier(workers=1, cpu_seconds=1) as verifier:
            assert verifier.verify_sync("5", "(10^8)!") == Verdict(False, "timeout")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGPROF, before)


def test_closing_raises_for_answers_in_work():
    verifier = Verifier(workers=1, cpu_seconds=60)
    failures = []

    def wait():
        try:
            verifier.verify_sync("5", "(10^8)!")
        except PoolError as error:
            failures.append(error)

    threads = [threading.Thread(target=wait) for _ in range(2)]
    assert verifier.verify_sync(*fresh_pair()) == EQUAL
    for thread in threads:
        thread.start()
    verifier.close()
    for thread in threads:
        thread.join()
    assert len(failures) == 2
    with pytest.raises(PoolError, match="closed"):
        verifier.verify_sync(*fresh_pair())


def test_a_pair_is_checked_once():
    """Siblings repeat answers, and a metric asks what a reward asked."""
    with Verifier(workers=1, cpu_seconds=1) as verifier:
        pair = fresh_pair()
        assert verifier.verify_sync(*pair) == EQUAL
        verifier.close()
        assert verifier.verify_sync(*pair) == EQUAL
        with pytest.raises(PoolError):
            verifier.verify_sync(*fresh_pair())


@pytest.mark.parametrize("name", ["workers", "cpu_seconds", "memory_mb", "max_chars"])
def test_limits_are_positive(name):
    with pytest.raises(ValueError, match=f"{name} must be above 0, not 0"):
        Verifier(**{name: 0})


@pytest.mark.parametrize(("limit", "value"), [("memory_mb", 60), ("cpu_seconds", 0.0001)])
def test_limits_that_leave_no_room_for_a_check(limit, value):
    """Every honest answer would be scored 0: the pool does not start."""
    with Verifier(**{limit: value}) as verifier, pytest.raises(PoolError, match=f"{limit}={value}"):
        verifier.verify_sync(*fresh_pair())


def test_a_pool_that_cannot_start(monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")
    with Verifier() as verifier, pytest.raises(PoolError, match="pip install") as failure:
        verifier.verify_sync(*fresh_pair())
    assert "encodings" in str(failure.value)  # what the interpreter said


def test_without_the_extra():
    """With no installed package in sight: the import works, the verifier names its extra."""
    path = str(Path(inward_rewards.__file__).parents[1])
    script = (
        f"import sys; sys.path.insert(0, {path!r})\n"
        "from inward_rewards.maths import Verifier\n"
        "Verifier()\n"
    )
    command = [sys.executable, "-I", "-S", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 'ImportError: the maths verifier needs math-verify: pip install "inward' in done.stderr
