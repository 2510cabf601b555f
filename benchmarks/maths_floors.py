"""What policies that solve nothing earn in `correct` of math500-entropy, and what the rule against
copying costs honest answers.

    uv run --group bench --group test python benchmarks/maths_floors.py [--json] [--path FILE]

The problems are MATH-500: from FILE, from `../shared/data` beside the repository, or else as the
environment fetches them. Every baseline answers every problem; an answer counts as the
environment counts it. Honest answers are each problem's gold answer in other typesetting: bare, in
a box, without unit or label, with other braces and spaces. None may be taken for a copy.
"""

import argparse
import asyncio
import re
from pathlib import Path
from typing import Any

from inward_rewards.formats import parse_reply
from inward_rewards.maths import Verdict, Verifier
from math500_entropy.baselines import (
    make_constant,
    make_copy_first_expression,
    make_random_integer,
)
from math500_entropy.data import Problem, load_problems
from targets import Target, report

SHARED = Path(__file__).parents[2] / "shared/data/math500/math500_test.jsonl"
MAX_COPY = 0.01
BASELINES = {
    "constant": make_constant,
    "random-integer": make_random_integer,
    "copy-first-expression": make_copy_first_expression,
}
REWRITINGS = (
    (r"", ""),
    (r"\\frac(?![a-zA-Z])", r"\\dfrac"),
    (r"\\frac\{(\d)\}\{(\d)\}", r"\\frac\1\2"),
    (r"\\frac(\d)(\d)", r"\\frac{\1}{\2}"),
    (r"\\sqrt(\d)", r"\\sqrt{\1}"),
    (r"\\(?:left|right|!)|\s", ""),
    (r"\\(?:text|mbox)\{([^{}]*)\}", r"\1"),
    (r"\s*\\mbox\{[^{}]*\}(\^\d)?|\^\\circ|\\\$|\\%", ""),
    (r"_\{?\d+\}?$", ""),
    (r"^[a-z]\s*(?:=|\\in)\s*", ""),
)


def answers(policy: Any, problems: list[Problem]) -> list[str | None]:
    messages = ([{"role": "user", "content": problem.problem}] for problem in problems)
    return [parse_reply(policy({"messages": turn})["content"]).answer for turn in messages]


async def verdicts(
    verifier: Verifier, problems: list[Problem], given: list[str | None], *, told: bool
) -> list[Verdict]:
    """`told`: with the problem, as the environment does."""
    return await asyncio.gather(
        *(
            verifier.verify(one.answer, answer or "", problem=one.problem if told else None)
            for one, answer in zip(problems, given, strict=True)
        )
    )


def honest(answer: str) -> list[str]:
    found = {re.sub(pattern, new, answer).strip() for pattern, new in REWRITINGS}
    return sorted(found | {f"${answer}$", f"\\boxed{{{answer}}}", f"{answer}."} - {""})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--path", type=Path, help="MATH-500 as a file")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="the last line is JSON")
    options = parser.parse_args()
    path = options.path or (SHARED if SHARED.exists() else None)
    problems = list(load_problems("test", path))

    shares: dict[str, float] = {}
    with Verifier(workers=options.workers) as verifier:
        for name, make in BASELINES.items():
            given = answers(make(options.seed), problems)
            found, untold = (
                asyncio.run(verdicts(verifier, problems, given, told=told))
                for told in (True, False)
            )
            shares[name] = sum(verdict.correct for verdict in found) / len(problems)
            echoed = sum(verdict.reason == "echoed" for verdict in found)
            value = sum(verdict.correct for verdict in untold) / len(problems)
            print(
                f"{name}: correct {shares[name]:.3f}, echoed {echoed}/{len(problems)}; by value "
                f"alone {value:.3f}"
            )
        pairs = [(one, answer) for one in problems for answer in honest(one.answer)]
        lost = [
            (one.answer, answer)
            for (one, answer), verdict in zip(
                pairs,
                asyncio.run(
                    verdicts(
                        verifier, [one for one, _ in pairs], [text for _, text in pairs], told=True
                    )
                ),
                strict=True,
            )
            if verdict.reason == "echoed"
        ]
    print(f"golds in other typesetting: {len(pairs)}, taken for copies {len(lost)} {lost[:5]}")
    targets = [
        Target("copy-first-expression, correct", shares["copy-first-expression"], MAX_COPY, True),
        Target("honest answers taken for copies", len(lost), 0, True),
    ]
    report(targets, options.json)


if __name__ == "__main__":
    main()
