"""Maths answers: `inward_rewards.maths` beside math-verify in process, interleaved, as ratios.

    uv run --group bench --group test python benchmarks/maths.py [--json] [--workers 2]

Each gold has a few different answers, as siblings give them: right in the gold's own notation,
right in another, or wrong; no pair comes twice, so that nothing is remembered. Two mixes are
timed: `math500` has the kinds of MATH-500's golds in their shares (three quarters plain numbers),
`no plain numbers` leaves those out, so that most answers go to the pool. The anchor parses gold
and answer and compares them, as `verifiers.v1.verify_boxed_math_answer` does, in this process's
main thread (its timeouts work nowhere else). Both see the same answers, slice by slice in turn.

The stall of the event loop is the longest wait of a task that sleeps for a millisecond at a time,
beyond that millisecond, while 256 answers of the second mix are verified at once: the median and
the worst of several tries.
"""

import argparse
import asyncio
import gc
import random
import statistics
import time
from collections.abc import Awaitable, Callable

from inward_rewards.maths import Verifier, fast
from math_verify import parse, verify
from targets import Target, report

ANSWERS = 1200
SLICES = 10
AT_ONCE = 256
STALL_TRIES = 5
MIN_RATIO = 1.8
MAX_STALL_MS = 10.0

Pair = tuple[str, str]
Kind = Callable[[random.Random], tuple[str, list[str], list[str]]]  # gold, right, wrong


def integer(rng: random.Random) -> tuple[str, list[str], list[str]]:
    n = rng.randint(-20, 3000)
    return str(n), [f"{n}", f"{n}.0", f"${n}$", f"{n - 3}+3"], [f"{n + 1}", f"{-n - 7}", f"{n}/2"]


def fraction(rng: random.Random) -> tuple[str, list[str], list[str]]:
    a, b = rng.randint(1, 40), rng.choice([3, 7, 9, 11, 13, 17])
    a = a * b + 1
    right = [rf"\frac{{{a}}}{{{b}}}", f"{a}/{b}", rf"\dfrac{{{2 * a}}}{{{2 * b}}}"]
    return rf"\frac{{{a}}}{{{b}}}", right, [rf"\frac{{{b}}}{{{a}}}", f"{a / b:.2f}", f"{a}"]


def decimal(rng: random.Random) -> tuple[str, list[str], list[str]]:
    n = rng.randint(1, 999) * 4 + 1
    return f"{n / 4}", [f"{n / 4}", rf"\frac{{{n}}}{{4}}", f"{n / 4}0"], [f"{n / 2}", f"{n}"]


def radical(rng: random.Random) -> tuple[str, list[str], list[str]]:
    a, b = rng.randint(2, 9), rng.choice([2, 3, 5, 7, 11])
    right = [rf"{a}\sqrt{{{b}}}", rf"\sqrt{{{a * a * b}}}", rf"\frac{{{a * b}}}{{\sqrt{{{b}}}}}"]
    return rf"{a}\sqrt{{{b}}}", right, [rf"{b}\sqrt{{{a}}}", rf"{a}\pi", rf"\sqrt{{{a * b}}}"]


def polynomial(rng: random.Random) -> tuple[str, list[str], list[str]]:
    a, b = rng.randint(2, 9), rng.randint(1, 9)
    expanded = rf"x^2+{a + b}x+{a * b}"
    return expanded, [expanded, f"(x+{a})(x+{b})"], [f"(x-{a})(x+{b})", f"x^2+{a * b}x+{a + b}"]


def angle(rng: random.Random) -> tuple[str, list[str], list[str]]:
    a = rng.randint(10, 170)
    return rf"{a}^\circ", [rf"{a}^\circ", f"{a}", rf"{a}^{{\circ}}"], [rf"{180 - a + 1}^\circ"]


def point(rng: random.Random) -> tuple[str, list[str], list[str]]:
    a, b = rng.randint(1, 20), rng.randint(21, 40)
    right = [rf"\left( {a}, -\frac{{{b}}}{{2}} \right)", f"({a},-{b}/2)", f"({a}, {-b / 2})"]
    return right[0], right, [f"(-{b}/2,{a})", f"({a},{b}/2)"]


def interval(rng: random.Random) -> tuple[str, list[str], list[str]]:
    a, b = rng.randint(-9, 0), rng.randint(1, 9)
    gold = rf"(-\infty, {a}) \cup ({b}, \infty)"
    right = [gold, rf"({b},\infty)\cup(-\infty,{a})"]
    return gold, right, [rf"(-\infty,{a}]\cup[{b},\infty)", f"({a},{b})"]


def matrix(rng: random.Random) -> tuple[str, list[str], list[str]]:
    a, b = rng.randint(1, 9), rng.randint(-9, 9)

    def column(kind: str, top: str, bottom: str) -> str:
        return rf"\begin{{{kind}}} {top} \\ {bottom} \end{{{kind}}}"

    right = [column("pmatrix", f"{a}/5", f"{b}"), column("bmatrix", rf"\frac{{{a}}}{{5}}", f"{b}")]
    return right[0], right, [column("pmatrix", f"{b}", f"{a}/5")]


def numbers(rng: random.Random) -> tuple[str, list[str], list[str]]:
    a, b, c = rng.sample(range(-20, 40), 3)
    right = [f"{a}, {b}, {c}", f"{c},{a},{b}", rf"\{{{b}, {c}, {a}\}}"]
    return right[0], right, [f"{a}, {b}", f"{a},{b},{c + 1}"]


def words(rng: random.Random) -> tuple[str, list[str], list[str]]:
    name, other = rng.sample(["Evelyn", "Navin", "ellipse", "even", "odd", "Monday"], 2)
    return rf"\text{{{name}}}", [rf"\text{{{name}}}", name], [rf"\text{{{other}}}"]


# How many of MATH-500's 500 golds are of a kind (other notations counted with the nearest).
KINDS: dict[Kind, int] = {
    integer: 318,
    fraction: 59,
    decimal: 7,
    radical: 31,
    polynomial: 28,
    angle: 14,
    point: 12,
    interval: 10,
    matrix: 7,
    numbers: 6,
    words: 8,
}
PLAIN: list[Kind] = [integer, fraction, decimal]


def answers(shares: dict[Kind, int], seed: int) -> list[Pair]:
    rng = random.Random(seed)
    pairs: dict[Pair, None] = {}
    while len(pairs) < ANSWERS:
        gold, right, wrong = rng.choices(list(shares), list(shares.values()))[0](rng)
        pairs |= dict.fromkeys((gold, answer) for answer in right + wrong)
    return list(pairs)[:ANSWERS]


def alone(gold: str, answer: str) -> bool:
    return bool(verify(parse(f"\\boxed{{{gold}}}"), parse(f"\\boxed{{{answer}}}")))


async def at_once(verifier: Verifier, pairs: list[Pair]) -> list[bool]:
    verdicts = await asyncio.gather(*(verifier.verify(*pair) for pair in pairs))
    return [verdict.correct for verdict in verdicts]


def compare(verifier: Verifier, pairs: list[Pair]) -> dict[str, float]:
    """Answers a second of both, and how often they agree."""
    seconds = {"alone": 0.0, "ours": 0.0}
    same = 0
    size = len(pairs) // SLICES
    for start in range(0, len(pairs), size):
        part = pairs[start : start + size]
        began = time.perf_counter()
        expected = [alone(*pair) for pair in part]
        seconds["alone"] += time.perf_counter() - began
        began = time.perf_counter()
        found = asyncio.run(at_once(verifier, part))
        seconds["ours"] += time.perf_counter() - began
        same += sum(one == other for one, other in zip(expected, found, strict=True))
    return {
        "answers": len(pairs),
        "at_once": sum(fast.decide(*pair) is not None for pair in pairs) / len(pairs),
        "agree": same,
        "alone_per_s": len(pairs) / seconds["alone"],
        "ours_per_s": len(pairs) / seconds["ours"],
        "ratio": seconds["alone"] / seconds["ours"],
    }


async def stall_ms(work: Awaitable[object]) -> float:
    """The longest that the event loop kept a ready task waiting while `work` ran."""
    longest = 0.0

    async def heartbeat() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - began - 0.001)

    beating = asyncio.create_task(heartbeat())
    await asyncio.sleep(0.01)
    await work
    await asyncio.sleep(0.01)
    beating.cancel()
    return longest * 1000


async def all_alone(pairs: list[Pair]) -> list[bool]:
    return [alone(*pair) for pair in pairs]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="the last line is JSON")
    options = parser.parse_args()

    hard = {kind: share for kind, share in KINDS.items() if kind not in PLAIN}
    with Verifier(workers=options.workers) as verifier:
        verifier.verify_sync(r"\sqrt{8}", r"2\sqrt{2}")  # starts the pool
        alone(r"\sqrt{8}", r"2\sqrt{2}")
        gc.collect()
        gc.freeze()  # sympy's objects are the anchor's, and a full collection of them is a stall
        mixes = {}
        for name, shares in (("math500", KINDS), ("no plain numbers", hard)):
            row = mixes[name] = compare(verifier, answers(shares, seed=0))
            print(
                f"{name}: {row['answers']} answers, {row['at_once']:.0%} decided at once; "
                f"verdicts agree {row['agree']}/{row['answers']}; math-verify alone "
                f"{row['alone_per_s']:.0f}/s, ours on {options.workers} workers "
                f"{row['ours_per_s']:.0f}/s: {row['ratio']:.2f}x"
            )
        stalls = [
            asyncio.run(stall_ms(at_once(verifier, answers(hard, seed)[:AT_ONCE])))
            for seed in range(1, STALL_TRIES + 1)
        ]
        plain = asyncio.run(stall_ms(all_alone(answers(hard, seed=1)[:AT_ONCE])))
        idle = asyncio.run(stall_ms(asyncio.sleep(0.5)))
    stall = statistics.median(stalls)
    print(
        f"event-loop stall, {AT_ONCE} answers at once: {stall:.1f} ms (worst {max(stalls):.1f}; "
        f"nothing running {idle:.1f}), math-verify in the loop {plain:.0f} ms"
    )
    targets = [
        Target("answers/s over math-verify in process", mixes["math500"]["ratio"], MIN_RATIO),
        Target("event-loop stall, ms, 256 at once", stall, MAX_STALL_MS, most=True),
    ]
    report(targets, options.json)


if __name__ == "__main__":
    main()
