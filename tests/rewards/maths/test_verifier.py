"""The public verifier: from threads, from async code, after a fork, and at its limits."""

import asyncio
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from inward_rewards.maths import PoolError, Verdict, Verifier, default_verifier, verify

EQUAL = Verdict(True, "equal")
SLOW_PAIR = (r"\sqrt{8}", r"2\sqrt{2}")  # not for the fast path


@pytest.fixture(scope="module")
def verifier():
    with Verifier(workers=2, cpu_seconds=2) as one:
        yield one


def test_slow_and_fast_path(verifier):
    assert verifier.verify_sync("1/2", "0.5") == EQUAL
    assert verifier.verify_sync(*SLOW_PAIR) == EQUAL
    assert verifier.verify_sync(r"\sqrt{8}", r"2\sqrt{3}") == Verdict(False, "different")


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
    assert verifier.verify_sync(*SLOW_PAIR) == EQUAL


def test_empty_and_over_long_answers_are_wrong(verifier):
    assert verifier.verify_sync("5", " \n ") == Verdict(False, "empty")
    long = verifier.verify_sync("5", "5" * 2001)
    assert long == Verdict(False, "too_long")
    assert long.verify_timeout
    assert not verifier.verify_sync("5", "6").verify_timeout


@pytest.mark.parametrize("gold", ["", "   ", "5" * 10_001])
def test_a_bad_gold_raises(verifier, gold):
    with pytest.raises(ValueError, match="mend or drop its row"):
        verifier.verify_sync(gold, "5")


async def test_default_verifier_is_shared():
    assert default_verifier() is default_verifier()
    assert await verify(*SLOW_PAIR) == EQUAL


def test_after_a_fork_both_sides_work():
    with Verifier(workers=1) as verifier:
        assert verifier.verify_sync(*SLOW_PAIR) == EQUAL
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                with os.fdopen(write, "wb") as pipe:
                    pipe.write(pickle.dumps(verifier.verify_sync(*SLOW_PAIR)))
                verifier.close()
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            assert pickle.loads(pipe.read()) == EQUAL
        os.waitpid(pid, 0)
        assert verifier.verify_sync(*SLOW_PAIR) == EQUAL


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


def test_closing_raises_for_answers_in_work():
    verifier = Verifier(workers=1, cpu_seconds=60)
    failures = []

    def wait():
        try:
            verifier.verify_sync("5", "(10^8)!")
        except PoolError as error:
            failures.append(error)

    threads = [threading.Thread(target=wait) for _ in range(2)]
    assert verifier.verify_sync(*SLOW_PAIR) == EQUAL
    for thread in threads:
        thread.start()
    verifier.close()
    for thread in threads:
        thread.join()
    assert len(failures) == 2
    with pytest.raises(PoolError, match="closed"):
        verifier.verify_sync(*SLOW_PAIR)


@pytest.mark.parametrize("name", ["workers", "cpu_seconds", "memory_mb", "max_chars"])
def test_limits_are_positive(name):
    with pytest.raises(ValueError, match=f"{name} must be above 0, not 0"):
        Verifier(**{name: 0})
