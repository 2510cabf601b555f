"""What stands in the problem and is not the gold answer's own text is copied."""

import pytest
from inward_rewards.maths import Verdict, Verifier
from inward_rewards.maths.echo import is_echo

COPIED = [
    ("Simplify $\\sqrt{50}$.", r"5\sqrt{2}", r"\sqrt{50}"),
    ("Simplify $\\sqrt{50}$.", r"5\sqrt{2}", r"$\sqrt {50}$."),
    ("Simplify $\\sqrt{50}$.", r"5\sqrt{2}", r"\boxed{\sqrt{50}}"),
    ("Simplify $\\sqrt{50}$.", r"5\sqrt{2}", r"\left(\sqrt{50}\right)"),
    ("Simplify $\\sqrt{50}$.", r"5\sqrt{2}", r"\sqrt{50} + 0"),
    ("Simplify $\\sqrt{50}$.", r"5\sqrt{2}", r"1 \cdot \sqrt{50}"),
    ("Simplify $\\sqrt{50}$.", r"5\sqrt{2}", r"x = \sqrt{50}"),
    ("Simplify \\(\\dfrac{6}{8}\\).", r"\frac{3}{4}", r"\frac68"),
    ("Write 0.5 as a fraction.", r"\frac12", "0.5"),
    ("Solve $x^2-5x-4 \\leq 10$.", "[-2,7]", r"x^2 - 5x - 4 \le 10"),
    ("Evaluate $3 \\times 4$.", "12", r"3\cdot 4"),
    ("Evaluate $3 \\times 4$.", "12", "3 * 4"),
    ("What is $2^{10}$?", "1024", "2^{10}"),
]
OWN = [
    ("Which of $3$ and $5$ is larger?", "5", "5"),
    ("Which of $3$ and $5$ is larger?", "5", "$5$."),
    ("Which of $3$ and $5$ is larger?", "5", "x = 5"),
    ("Of 3 cm and 5 cm, which?", r"5 \text{ cm}", "5"),
    ("Of 3 cm and 5 cm, which?", "5", "5 cm"),
    ("Of $30^\\circ$ and $60^\\circ$?", r"60^\circ", "60"),
    ("Of 10,080 and 9?", r"10,\!080", "10080"),
    ("Evelyn or Carla?", r"\text{Evelyn}", "Evelyn"),
    ("(A) 3 (B) 5", r"\text{(B)}", "B"),
    ("(A) 3 (B) 5", r"\text{(B)}", "(B) 5"),
    ("Is $\\sqrt{53}$ in simplest form?", r"\sqrt{53}", r"\sqrt{53}"),
    ("Is $\\dfrac{4}{3}$ in simplest form?", r"\frac43", r"\frac{4}{3}"),
    ("Is \\$18.90 enough?", r"\$18.90", "18.90"),
    ("What is $f(5)$?", "12", "12"),
    ("Add 12 and 34.", "46", "2"),
    ("Write $xyz$.", "5", "xy"),
    ("Write $12x$.", "5", "2x"),
    ("Anything.", "5", "$"),
]


@pytest.mark.parametrize(("problem", "gold", "answer"), COPIED)
def test_copied(problem, gold, answer):
    assert is_echo(problem, gold, answer)


@pytest.mark.parametrize(("problem", "gold", "answer"), OWN)
def test_not_copied(problem, gold, answer):
    assert not is_echo(problem, gold, answer)


async def test_the_verifier_takes_the_problem():
    """A pair is remembered without its problem: another one does not change its verdict."""
    with Verifier(workers=1) as verifier:
        pair = r"5\sqrt{2}", r"\sqrt{50}"
        echoed = Verdict(False, "echoed")
        assert verifier.verify_sync(*pair, problem="Simplify $\\sqrt{50}$.") == echoed
        assert verifier.verify_sync(*pair) == Verdict(True, "equal")
        assert (await verifier.verify(*pair, problem="Simplify $\\sqrt{50}$.")) == echoed
        assert (await verifier.verify(*pair, problem="What is 7?")).correct
        assert not echoed.verify_timeout
        with pytest.raises(ValueError, match="mend or drop its row"):
            verifier.verify_sync("", "5", problem="5")
