"""One rule for boxes: alone with prose around it a box is the answer, else part of the formula."""

import pytest
from inward_rewards.maths.wrapping import unwrapped

ALONE = [
    "\\boxed{5}",
    "\\boxed5",
    "\\boxed 5",
    "\\fbox{5}",
    "$\\boxed{5}$",
    "\\[ \\boxed{5} \\]",
    "\\boxed{\\boxed{5}}",
    "The answer is \\boxed{5}.",
    "The answer is $\\boxed{5}$.",
    "**Answer:** \\boxed{5}",
    "\\text{So the answer is }\\boxed{5}",
    "Therefore, \\boxed{5}",
    "Let x=6. Then \\boxed{5}.",
    "It is 6. No, wait:\n\n\\[\\boxed{5}\\]",
    "x = \\boxed{5}",
    "So $x = \\boxed{5}$",
    "\\boxed{5} apples",
    "\\boxed{5}, as the problem says",
    "`5`",
    "```\n5\n```",
    "```latex\n$5$\n```",
    '"5"',
    "**5**",
    "\\begin{align*} 5 \\end{align*}",
]


@pytest.mark.parametrize("text", ALONE)
def test_the_answer_alone(text):
    assert unwrapped(text).removeprefix("x = ") == "5"


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        (r"-\boxed{5}", "-(5)"),
        (r"\frac{\boxed5}2", r"\frac{5}2"),
        (r"x \ne \boxed5", r"x \ne 5"),
        (r"2\boxed{5}", "2(5)"),
        (r"\boxed{x+1}^2", "(x+1)^2"),
        (r"[0,\boxed{5}]", "[0,5]"),
        (r"The answer is $-\boxed{5}$.", "-(5)"),
        (r"6, or \boxed{5}", "6, or (5)"),
        (r"7, \boxed{5}", "7, 5"),
        (r"\boxed{5} or 6", "(5) or 6"),
        (r"\boxed{5} is wrong", "(5) is wrong"),
        (r"\boxed{5}\text{ cm}", r"5\text{ cm}"),
        (r"\boxed{6} \text{ or } \boxed{5}", r"6 \text{ or } 5"),
        ("\\boxed{5", "\\boxed{5"),
    ],
)
def test_a_box_in_a_formula(text, formula):
    assert unwrapped(text) == formula


@pytest.mark.parametrize("piece", ["\\boxed{", "$", "`", "**", '"', "\\boxed{5}", "\\(", "(", "{"])
def test_nothing_is_read_for_long(piece):
    """Two thousand signs, the most that an answer may have, in far less than their CPU limit."""
    text = piece * (2000 // len(piece))
    assert len(unwrapped(text)) <= 2 * len(text)
