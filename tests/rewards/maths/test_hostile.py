"""Answers written to hang, crash or exhaust the verifier, beside honest ones in flight."""

import asyncio
import os
import resource

import pytest
from inward_rewards.maths import Verdict, Verifier

GOLD = r"\sqrt{2}+1"  # never the fast path

# Python's and gmpy2's arithmetic loops in C: no signal handler and no thread could stop them.
IN_C_CODE = ["(10^8)!", r"\binom{10^9}{5 \cdot 10^8}", "3^{3^{3^{3}}}", "10^{10^8}"]

HOSTILE = [
    *IN_C_CODE,
    # towers and factorials
    "2^{2^{2^{2^{2^{2}}}}}",
    "9^{9^{9}}",
    "99999^{99999}",
    "10^{-10^{10}}",
    "1.0e400000000",
    "0.1^{10^9}",
    "((100!)!)!",
    "5" + "!" * 50,
    "5" + "!" * 1900,
    # sums, products, integrals, expansions
    r"\sum_{k=1}^{10^9} \frac{1}{k}",
    r"\prod_{n=1}^{10^7} n",
    r"\int_0^1 x^{x^{x}} dx",
    r"\lim_{x \to 0} \frac{\sin x^{x^x}}{x}",
    "(x+1)^{10000}",
    "(a+b+c+d+e)^{90}",
    r"\lfloor 10^{10^8} \pi \rfloor",
    # nesting
    "{" * 1999,
    "(" * 1999,
    "[0," * 600,
    r"\frac{" * 300,
    "x^{" * 300 + "2" + "}" * 300,
    r"\sqrt{" * 200 + "2" + "}" * 200,
    r"\cos(" * 200 + "1" + ")" * 200,
    r"\boxed{" * 200 + "5" + "}" * 200,
    # length
    "{" * 10_000,
    "1" * 100_000,
    "1+" * 900 + "1",
    "x=1," * 450,
    "-" * 1999,
    "|" * 1999,
    r"\pm " * 450 + "1",
    # bytes and markup
    "".join(map(chr, range(32))) + "5",
    "\ud800 5",
    "<script>alert(1)</script>",
    '__import__("os").kill(1, 9)',
    "\U0001f600" * 900,
    r"\input{/etc/passwd}",
    "$" * 1000,
]


@pytest.fixture(scope="module")
def verifier():
    with Verifier(workers=2, cpu_seconds=1, memory_mb=512) as one:
        yield one


def honest(k):
    """One right and one wrong answer in turn, each of them a real comparison."""
    return (rf"\sqrt{{{4 * k}}}", rf"2\sqrt{{{k}}}" if k % 2 else rf"2\sqrt{{{k + 1}}}")


@pytest.mark.slow
async def test_hostile_answers_beside_honest_ones(verifier):
    assert len(HOSTILE) >= 40
    # One hostile answer after each fifth honest one, so that both are in flight until the end.
    pairs = []
    for k in range(196):
        pairs.append(honest(k + 2))
        if k % 5 < 2 and k // 5 * 2 + k % 5 < len(HOSTILE):
            pairs.append((GOLD, HOSTILE[k // 5 * 2 + k % 5]))
    assert sum(gold == GOLD for gold, _ in pairs) == len(HOSTILE)

    verdicts = await asyncio.gather(*(verifier.verify(*pair) for pair in pairs))

    ends = dict(zip(pairs, verdicts, strict=True))
    for k in range(2, 198):
        right = Verdict(True, "equal") if k % 2 else Verdict(False, "different")
        assert ends[honest(k)] == right
    assert [answer for answer in HOSTILE if ends[GOLD, answer].correct] == []
    for answer in IN_C_CODE:
        assert ends[GOLD, answer] == Verdict(False, "timeout")
    assert ends[GOLD, "{" * 10_000] == Verdict(False, "too_long")
    assert verifier.verify_sync(*honest(301)) == Verdict(True, "equal")


def children_cpu_seconds(*pairs):
    """CPU time of a verifier's processes, from start to end, over these pairs."""

    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    with Verifier(workers=1, cpu_seconds=0.5, memory_mb=512) as verifier:
        for pair in pairs:
            verifier.verify_sync(*pair)
    return used() - before


def test_a_killed_answer_used_no_more_processor_time_than_its_limit():
    """CPU time, which the load of the machine does not stretch; the start's share is taken off."""
    start = children_cpu_seconds(honest(3))
    whole = children_cpu_seconds(honest(3), *((GOLD, answer) for answer in IN_C_CODE))
    assert 0.25 < (whole - start) / len(IN_C_CODE) < 1


def test_the_processor_limit_holds_where_the_length_limit_is_lifted():
    answers = ["{" * 10_000, "1" * 100_000, "x" * 100_000, r"\frac" * 20_000]
    with Verifier(workers=1, cpu_seconds=1, memory_mb=512, max_chars=10**6) as verifier:
        for number, answer in enumerate(answers):
            assert not verifier.verify_sync(GOLD, answer).correct, answer[:9]
            assert verifier.verify_sync(*honest(5 + 2 * number)) == Verdict(True, "equal")


def test_memory_is_bounded_and_given_back():
    """The worker that grew is replaced: its caches would starve the answers after it."""
    with Verifier(workers=1, cpu_seconds=60, memory_mb=400) as verifier:
        assert verifier.verify_sync(*honest(3)) == Verdict(True, "equal")
        (before,) = verifier._pool._idle
        assert not verifier.verify_sync(GOLD, r"2^{8 \cdot 10^8}").correct  # 100 MB, twice
        assert verifier.verify_sync(*honest(5)) == Verdict(True, "equal")
        (after,) = verifier._pool._idle
        assert before.pid != after.pid
        with pytest.raises(ProcessLookupError):
            os.kill(before.pid, 0)


def test_a_gold_that_nothing_can_read_raises(verifier):
    with pytest.raises(ValueError, match="has no mathematical reading"):
        verifier.verify_sync("$$$$", "7")
    assert verifier.verify_sync(*honest(303)) == Verdict(True, "equal")


@pytest.mark.parametrize("gold", ["(10^8)!", r"2^{8 \cdot 10^{10}}"])
def test_a_gold_that_breaks_the_limits_raises_whatever_the_answer(gold):
    with Verifier(workers=1, cpu_seconds=0.5, memory_mb=512) as verifier:
        for answer in ("5", GOLD, "(10^9)!"):
            with pytest.raises(ValueError, match="cannot be compared even with 1") as failure:
                verifier.verify_sync(gold, answer)
            assert repr(gold) in str(failure.value)
        for itself in (gold, f"${gold}$", rf"\boxed{{{gold}}}"):
            assert verifier.verify_sync(gold, itself) == Verdict(True, "equal")
        assert verifier.verify_sync(GOLD, "(10^8)!") == Verdict(False, "timeout")


def test_an_over_long_gold_raises(verifier):
    gold = "1+" * 1000 + "1"
    with pytest.raises(ValueError, match="1 to max_chars=2000 characters, this one 2001"):
        verifier.verify_sync(gold, gold)
