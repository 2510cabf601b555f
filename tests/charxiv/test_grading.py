"""Verdicts by rubric, and what the real gold answers do."""

import json
from collections import Counter
from pathlib import Path

import pytest
from charxiv.grading import final_answer, grade, number, rubric

REAL = Path(__file__).parents[3] / "shared/data/charxiv"


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("", ""),
        ("12", "12"),
        ("The bars grow.\n\n**Answer: 12**", "12"),
        ("The answer is (b).", "(b)"),
        ("Answer: 3. No, wait.\nFinal answer: 4", "4"),
        ("I get \\boxed{\\frac{1}{2}} here", "\\frac{1}{2}"),
        ("First look at the axis.\nThen it is Joint-CNN.", "Then it is Joint-CNN"),
        ("the filter step response", "the filter step response"),
        ("**Answer:** 3 bars", "3 bars"),
        ("The answer to the question is: no", "no"),
    ],
)
def test_the_answer_of_a_reply(reply, answer):
    assert final_answer(reply) == answer


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,500", 1500), ("1.5e3", 1500), ("10^-2", 0.01), ("$10^{-2}$", 0.01), ("3 x 10^4", 30000),
        ("85.5%", 85.5), ("-15%", -15), ("\N{MINUS SIGN}15", -15), (".5", 0.5), ("-10^2", -100),
        ("", None), ("12 bars", None), ("1e999999999", None), ("10^999999", None), ("nan", None),
        ("1,50", None), ("--5", None), ("٣", None),
    ],
)  # fmt: skip
def test_a_number(text, value):
    found = number(text)
    assert (found is None) == (value is None)
    assert found is None or float(found) == pytest.approx(value)


@pytest.mark.parametrize(
    ("rule", "gold", "reply", "verdict"),
    [
        ("number", "0.01", "Answer: 10^-2", "right"),
        ("number", "0.01", "0.012", "wrong"),
        ("number", "40,000", "The answer is 40000 papers.", "right"),
        ("number", "30, 40", "30 and 40", "right"),
        ("number", "30, 40", "40, 30", "wrong"),
        ("number", "5", "Answer: between 1 and 5", "wrong"),
        ("number", "5", "about five", "unsure"),
        ("number", "5", "5 million", "unsure"),
        ("number", "5", "not 5", "unsure"),
        ("number", "5", ".5", "wrong"),
        ("number", "5", "\N{MINUS SIGN}5 dB", "wrong"),
        ("number", "-5", "\N{MINUS SIGN}5 dB", "right"),
        ("number", "100", "10\N{SUPERSCRIPT TWO}", "right"),
        ("number", "102", "10\N{SUPERSCRIPT TWO}", "wrong"),
        (
            "number",
            "0.005",
            "5\N{MULTIPLICATION SIGN}10\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT THREE}",
            "right",
        ),
        ("number", "100", "10^2.5", "wrong"),
        ("number", "30000", "3*10^4", "right"),
        ("number", "180k", "180k", "right"),
        ("number", "180k", "180", "unsure"),
        ("text", "A*", "A", "unsure"),
        ("text", "A*", "**A***", "right"),
        ("text", "A", "*A*", "right"),
        ("number", "5", "", "wrong"),
        ("number", "5", "1 2 3 4 5 6", "wrong"),
        ("number", "Not Applicable", "not applicable.", "right"),
        ("number", "Not Applicable", "0", "unsure"),
        ("number", "0", "Not Applicable", "wrong"),
        ("text", "Joint-CNN", "Answer: joint-cnn", "right"),
        ("text", r"$\alpha_{t}$", "\N{GREEK SMALL LETTER ALPHA}_t", "right"),
        ("text", "1.00", "1.0", "right"),
        ("text", "(b)", "b", "unsure"),
        ("text", "ACC+", "ACC", "unsure"),
        ("choice", "yes", "Yes, they do", "right"),
        ("choice", "Yes", "No", "wrong"),
        ("choice", "Yes", "The lines do intersect: yes", "unsure"),
        ("list", "A, B, C", "a,b,c", "right"),
        ("list", "A, B, C", "B, A, C", "unsure"),
        ("layout", "2 by 3", "2x3", "right"),
        ("layout", "2 by 3", "3 by 2", "wrong"),
        ("layout", "2 by 3", "a grid", "wrong"),
        ("trend", "Decreases", "it goes down", "unsure"),
    ],
)
def test_verdicts(rule, gold, reply, verdict):
    assert grade(rule, reply, gold) == verdict


HOSTILE = ["(" * 50_000, "answer is " * 20_000, "9" * 100_000, "10^" * 30_000, "\\boxed{" * 10_000]


@pytest.mark.parametrize("reply", HOSTILE, ids=["brackets", "answers", "digits", "powers", "boxes"])
@pytest.mark.parametrize("rule", ["number", "text", "list", "layout", "choice"])
@pytest.mark.timeout(20)
def test_a_hostile_reply_is_wrong_or_unsure_and_ends(rule, reply):
    assert grade(rule, reply, "5") != "right"


@pytest.mark.skipif(not REAL.is_dir(), reason="no ../shared/data/charxiv beside the checkout")
def test_the_real_gold_answers_are_right_and_others_of_their_category_are_not():
    rows = json.loads((REAL / "reasoning_val.json").read_text()).values()
    numbers = 0
    for row in rows:
        rule = rubric("reasoning", row["inst_category"])
        numbers += rule == "number"
        assert grade(rule, f"So, the answer is {row['answer']}.", row["answer"]) == "right", row
        if rule == "number":
            assert grade(rule, f"{row['answer']}7", row["answer"]) == "wrong"
    assert numbers == 461
    rows = json.loads((REAL / "descriptive_val.json").read_text()).values()
    verdicts = Counter(
        (rule := rubric("descriptive", template), grade(rule, f"Answer: {gold}", gold))
        for row in rows
        for template, gold in zip(row["qids"], row["answers"], strict=True)
    )
    assert {verdict for _, verdict in verdicts} == {"right"}
