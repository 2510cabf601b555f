"""MATH-500's gold answers against themselves and against their official solutions."""

import asyncio
import json
from pathlib import Path

import pytest
from inward_rewards.maths import Verifier
from inward_rewards.maths.check import read
from math_verify import verify

DATA = Path(__file__).parents[4] / "shared/data/math500/math500_test.jsonl"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"MATH-500 is not at {DATA}")


@pytest.fixture(scope="module")
def rows():
    return [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]


def last_boxed(solution):
    start = solution.rindex("\\boxed") + len("\\boxed")
    rest = solution[start:].lstrip()
    if rest[0] != "{":  # \boxed 5
        return rest[0]
    depth = 0
    for end, character in enumerate(rest):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return rest[1:end]
    raise AssertionError(f"unclosed box: {rest[:80]}")


def wrong(pairs):
    async def verdicts(verifier):
        return await asyncio.gather(*(verifier.verify(*pair) for pair in pairs))

    with Verifier(workers=2, cpu_seconds=20) as verifier:
        ends = asyncio.run(verdicts(verifier))
    return [(pair, end) for pair, end in zip(pairs, ends, strict=True) if not end.correct]


def test_golds_against_themselves(rows):
    assert len(rows) == 500
    assert wrong([(row["answer"], f"${row['answer']}$") for row in rows]) == []


def test_readings_of_golds_against_themselves(rows):
    """The same with no fast path and no comparison of texts: what math-verify reads is equal."""
    readings = [read(row["answer"]).forms for row in rows]
    unequal = [r for r in readings if not verify(r, r, timeout_seconds=None)]
    assert unequal == []


def test_golds_against_official_solutions(rows):
    assert wrong([(row["answer"], last_boxed(row["solution"])) for row in rows]) == []


def test_golds_against_other_golds(rows):
    """Neighbours in order may be one number in two notations; these are not."""
    golds = sorted({row["answer"] for row in rows})
    pairs = list(zip(golds, golds[50:] + golds[:50], strict=True))
    assert len(wrong(pairs)) == len(pairs)
