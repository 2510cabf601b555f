"""Advice that states the answer, and advice that only holds its letters."""

import pytest
import verifiers.v1 as vf
from advisor.leak import gold_answers, states
from quality_rag.taskset import QualityRagConfig, QualityRagTaskset


@pytest.mark.parametrize(
    ("advice", "gold"),
    [
        ("The answer is 12.", "12"),
        ("Reply with \\boxed{12}", "12"),
        ("so x = 12, and nothing else", "12"),
        ("It is $\\frac{1}{2}$ by symmetry.", r"\frac{1}{2}"),
        ("write the   Old  Mill", "The old mill"),
        ("The answer: 2", "2"),
        ("I would choose option B.", "B"),
        ("(B) fits best", "B"),
        ("you should get n = 2", "2"),
    ],
)
def test_it_is_stated(advice, gold):
    assert states(advice, [gold])


@pytest.mark.parametrize(
    ("advice", "gold"),
    [
        ("", "12"),
        ("Factor 120 first.", "12"),
        ("Mind the 1.12 in the text, and 12.5.", "12"),
        ("Step 2: collect the terms.", "2"),
        ("A story has two sides; B-roads do not matter.", "B"),
        ("Search for the mill.", "The old mill"),
        ("any advice", ""),
    ],
)
def test_it_is_not(advice, gold):
    assert not states(advice, [gold])


class Data(vf.TaskData):
    target: float | None = None
    truth: dict[str, int] | None = None


def test_where_the_gold_answer_is_found():
    task = vf.Task(Data(prompt="?", target=2.5))
    assert gold_answers(task, "target") == ["2.5"]
    assert gold_answers(task, "answer") is None
    assert gold_answers(vf.Task(Data(prompt="?", truth={"a": 1})), "truth") is None
    story = next(iter(QualityRagTaskset(QualityRagConfig(id="quality-rag", split="sample"))))
    letter, text = gold_answers(story, "answer")
    assert letter == story.data.gold
    assert text in story.data.options
