"""The table of hand-checked verdicts, held against the verifier and against math-verify alone."""

import asyncio
from pathlib import Path

import pytest
from inward_rewards.maths import Verifier, fast
from math_verify import parse, verify

LINES = (Path(__file__).parent / "verdicts.tsv").read_text(encoding="utf-8").split("\n")
TABLE = [line.split("\t") for line in LINES if line and not line.startswith("#")]
FIRST = next(k for k, line in enumerate(LINES) if line.startswith("# everyday notation"))
# What is read anew is read on either side.
BOTH_WAYS = [row for line in LINES[FIRST:] if (row := line.split("\t"))[1:2] == ["mended"]]


def alone(gold, answer):
    """math-verify as it comes, on boxed texts."""
    forms = [parse(f"\\boxed{{{text}}}", parsing_timeout=None) for text in (gold, answer)]
    return verify(*forms, timeout_seconds=None)


@pytest.fixture(scope="module")
def verdicts():
    async def all_of_them(verifier):
        pairs = [(gold, answer) for _, _, gold, answer in TABLE]
        pairs += [(answer, gold) for _, _, gold, answer in BOTH_WAYS]
        return dict(
            zip(pairs, await asyncio.gather(*(verifier.verify(*p) for p in pairs)), strict=True)
        )

    with Verifier(workers=2, cpu_seconds=20) as verifier:
        return asyncio.run(all_of_them(verifier))


@pytest.mark.parametrize(("truth", "note", "gold", "answer"), TABLE)
def test_verdict(verdicts, truth, note, gold, answer):
    assert truth in ("equal", "different")
    assert note in ("-", "mended", "open")
    right = truth == "equal"
    verdict = verdicts[gold, answer]
    assert not verdict.verify_timeout
    assert verdict.correct == (right if note != "open" else not right)
    at_once = fast.decide(gold, answer)
    assert at_once in (None, right)


@pytest.mark.slow
@pytest.mark.parametrize(("truth", "note", "gold", "answer"), TABLE)
def test_math_verify_alone_errs_where_it_is_noted(truth, note, gold, answer):
    right = truth == "equal"
    assert alone(gold, answer) == (right if note == "-" else not right)


@pytest.mark.parametrize(("truth", "note", "gold", "answer"), BOTH_WAYS)
def test_verdict_the_other_way_round(verdicts, truth, note, gold, answer):
    assert verdicts[answer, gold].correct == (truth == "equal")


def test_the_table_is_large_and_has_no_pair_twice():
    assert len(TABLE) >= 150
    assert len({(gold, answer) for _, _, gold, answer in TABLE}) == len(TABLE)
