"""Verified maths answers, from any thread and any event loop."""

import asyncio
from concurrent.futures import Future
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from inward_rewards.maths import fast
from inward_rewards.maths.echo import is_echo
from inward_rewards.maths.verdict import Reason, Verdict
from inward_rewards.sandbox import Breach, Limits, Memo, Pool, Program, Turns

KNOWN_PAIRS = 4096
PROGRAM = Program(
    "the maths verifier",
    "inward_rewards.maths.worker",
    'pip install "inward-rewards[maths]"',
)
_BREACHES: dict[Breach, Reason] = {Breach.CPU: "timeout", Breach.CRASH: "crash"}

# Some 20 ms of honest work: within any sensible limits.
_PROBE = {"gold": r"\left( 3, \frac{\pi}{2} \right)", "answer": r"(3, \pi/2)"}

# Not the gold itself: math-verify takes equal texts as they are, without working them out.
_PLAIN = "1"


class Verifier:
    """Whether an answer's text equals a gold answer's, by math-verify in killable processes.

    Plain numbers and identical texts are decided at once; everything else goes to a pool that
    starts with the first such answer; equal pairs are checked once. `workers` is the number of
    checks at once, within the machine's budget (`inward_rewards.sandbox`; all of it by default).
    One check may use `cpu_seconds` of CPU time, counted in its own process from when it starts, and
    `memory_mb` of memory; golds and answers have at most `max_chars` characters. An answer that
    breaks a limit is wrong, with `Verdict.verify_timeout`; a gold that does so by itself raises.

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
        self._limits = Limits(cpu_seconds, memory_mb)
        self._max_chars = max_chars
        self._pool = Pool(PROGRAM, self._limits, workers, probe=_PROBE)
        self._turns = Turns()
        self._known: Memo[tuple[str, str], Verdict] = Memo(KNOWN_PAIRS)
        self._golds: dict[str, bool] = {}  # whether each one keeps the limits by itself

    async def verify(self, gold: str, answer: str, *, problem: str | None = None) -> Verdict:
        """Compares the text of an answer with the gold answer's.

        Both are LaTeX or plain text, with or without dollar signs or `\\boxed{}`; nothing is
        searched for in prose. With its `problem`, an answer that stands in it and is not the
        gold answer's own text (spaces, delimiters, a label and a unit aside) is not correct:
        `echoed`. Raises `ValueError` for a gold that is empty, over-long, that
        math-verify cannot read or that breaks the limits by itself, and `PoolError` when the
        processes cannot run.
        """
        await self._turns.wait()
        found = self._found(gold.strip(), answer.strip(), problem)
        return found if isinstance(found, Verdict) else await asyncio.wrap_future(found)

    def verify_sync(self, gold: str, answer: str, *, problem: str | None = None) -> Verdict:
        """As `verify`, for code without an event loop: blocks the calling thread."""
        found = self._found(gold.strip(), answer.strip(), problem)
        return found if isinstance(found, Verdict) else found.result()

    def _found(
        self, gold: str, answer: str, problem: str | None = None
    ) -> Verdict | Future[Verdict]:
        """Siblings give the same answer again, and a metric asks what a reward asked."""
        verdict = self._at_once(gold, answer, problem)
        if verdict is not None:
            return verdict
        pair = gold, answer
        return self._known.ask(pair, lambda: self._pool.submit(self._check, gold, answer))

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
            return None
        return Verdict(equal, "equal" if equal else "different")

    def _check(self, gold: str, answer: str) -> Verdict:
        """In a thread of the pool."""
        verdict = self._compare(gold, answer)
        if verdict.verify_timeout and not self._keeps_limits(gold):
            raise ValueError(
                f"the gold answer {gold!r} cannot be compared even with {_PLAIN} within "
                f"{self._limits}: mend or drop its row"
            )
        return verdict

    def _keeps_limits(self, gold: str) -> bool:
        """Whether a plain answer can be checked; else no answer is to blame for a broken limit."""
        if gold not in self._golds:
            if len(self._golds) >= KNOWN_PAIRS:
                self._golds.clear()
            self._golds[gold] = not self._compare(gold, _PLAIN).verify_timeout
        return self._golds[gold]

    def _compare(self, gold: str, answer: str) -> Verdict:
        reply = self._pool.call({"gold": gold, "answer": answer})
        if isinstance(reply, Breach):
            return Verdict(False, _BREACHES[reply])
        header, _ = reply
        if "gold_error" in header:
            raise ValueError(header["gold_error"])
        return Verdict(header["reason"] == "equal", header["reason"])

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


_default: dict[None, Verifier] = {}


def default_verifier() -> Verifier:
    """The process's shared verifier, with the default limits; closed at exit."""
    # Without a lock, which a fork could leave taken: who loses the race has started nothing.
    return _default.get(None) or _default.setdefault(None, Verifier())


async def verify(gold: str, answer: str, *, problem: str | None = None) -> Verdict:
    """`Verifier.verify` by the process's shared verifier."""
    return await default_verifier().verify(gold, answer, problem=problem)
