"""Verified maths answers, from any thread and any event loop."""

import asyncio
import atexit
import os
from importlib.util import find_spec
from threading import Lock
from types import TracebackType
from typing import Self
from weakref import WeakSet

from inward_rewards.maths import fast
from inward_rewards.maths.echo import is_echo
from inward_rewards.maths.pool import Pool
from inward_rewards.maths.verdict import Verdict

KNOWN_PAIRS = 4096


class Verifier:
    """Whether an answer's text equals a gold answer's, by math-verify in killable processes.

    Plain numbers and identical texts are decided at once; everything else goes to a pool that
    starts with the first such answer. `workers` is the number of checks at once (the usable cores
    by default). One check may use `cpu_seconds` of CPU time, counted in its own process from when
    it starts, and `memory_mb` of address space; golds and answers have at most `max_chars`
    characters. An answer that breaks a limit is wrong, with `Verdict.verify_timeout`; a gold that
    does so by itself raises.

    Close it, or use it as a context manager.
    """

    def __init__(
        self,
        *,
        workers: int | None = None,
        cpu_seconds: float = 5.0,
        memory_mb: int = 1024,
        max_chars: int = 2000,
    ) -> None:
        if find_spec("math_verify") is None:
            raise ImportError(
                'the maths verifier needs math-verify: pip install "inward-rewards[maths]"'
            )
        limits = {"cpu_seconds": cpu_seconds, "memory_mb": memory_mb, "max_chars": max_chars}
        if workers is not None:
            limits["workers"] = workers
        for name, value in limits.items():
            if not value > 0:
                raise ValueError(f"{name} must be above 0, not {value!r}")
        self._settings = (workers or _usable_cores(), cpu_seconds, memory_mb)
        self._max_chars = max_chars
        self._pool = Pool(*self._settings)
        self._known: dict[tuple[str, str], Verdict] = {}
        _verifiers.add(self)

    async def verify(self, gold: str, answer: str, *, problem: str | None = None) -> Verdict:
        """Compares the text of an answer with the gold answer's.

        Both are LaTeX or plain text, with or without dollar signs or `\\boxed{}`; nothing is
        searched for in prose. With its `problem`, an answer that stands in it and is not the
        gold answer's own text (spaces, delimiters, a label and a unit aside) is not correct:
        `echoed`. Raises `ValueError` for a gold that is empty, over-long, that
        math-verify cannot read or that breaks the limits by itself, and `PoolError` when the
        processes cannot run.
        """
        pair = gold.strip(), answer.strip()
        verdict = self._at_once(*pair, problem)
        if verdict is None:
            verdict = await asyncio.wrap_future(self._pool.submit(*pair))
            self._remember(pair, verdict)
        return verdict

    def verify_sync(self, gold: str, answer: str, *, problem: str | None = None) -> Verdict:
        """As `verify`, for code without an event loop: blocks the calling thread."""
        pair = gold.strip(), answer.strip()
        verdict = self._at_once(*pair, problem)
        if verdict is None:
            verdict = self._pool.submit(*pair).result()
            self._remember(pair, verdict)
        return verdict

    def _at_once(self, gold: str, answer: str, problem: str | None) -> Verdict | None:
        if not gold or len(gold) > self._max_chars:
            raise ValueError(
                f"a gold answer has 1 to max_chars={self._max_chars} characters, this one "
                f"{len(gold)}: mend or drop its row ({gold[:80]!r})"
            )
        if not answer:
            return Verdict(False, "empty")
        if len(answer) > self._max_chars:
            return Verdict(False, "too_long")
        if problem is not None and is_echo(problem, gold, answer):
            return Verdict(False, "echoed")
        equal = fast.decide(gold, answer)
        if equal is None:
            return self._known.get((gold, answer))
        return Verdict(equal, "equal" if equal else "different")

    def _remember(self, pair: tuple[str, str], verdict: Verdict) -> None:
        """Siblings give the same answer again, and a metric asks what a reward asked."""
        if len(self._known) >= KNOWN_PAIRS:
            self._known.clear()
        self._known[pair] = verdict

    def close(self) -> None:
        """Ends the pool's processes; answers still waiting raise `PoolError`."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _after_fork(self) -> None:
        self._pool.forget()
        self._pool = Pool(*self._settings)


_verifiers: WeakSet[Verifier] = WeakSet()
_default: Verifier | None = None
_default_lock = Lock()


def default_verifier() -> Verifier:
    """The process's shared verifier, with the default limits; closed at exit."""
    global _default
    with _default_lock:
        if _default is None:
            _default = Verifier()
            atexit.register(_default.close)
        return _default


async def verify(gold: str, answer: str, *, problem: str | None = None) -> Verdict:
    """`Verifier.verify` by the process's shared verifier."""
    return await default_verifier().verify(gold, answer, problem=problem)


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _after_fork_in_child() -> None:
    """Threads and locks do not survive a fork: every verifier gets a pool of its own."""
    global _default_lock
    _default_lock = Lock()
    for verifier in _verifiers:
        verifier._after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
