"""Every answer of the shipped sample, worked out a second time."""

from __future__ import annotations

import pytest
from inward_rewards.formats import last_boxed
from inward_rewards.maths import verify
from math500_entropy.data import load_problems

sympy = pytest.importorskip("sympy", reason="comes with inward-rewards[maths]")


def answers() -> dict[str, object]:
    from itertools import permutations, product

    x, y = sympy.symbols("x y")
    roots = sympy.Poly(x**3 - 6 * x**2 + 5 * x + 2).nroots(n=30)
    a, b = sympy.Matrix([2, -1, 3]), sympy.Matrix([1, 4, -2])
    dice = list(product(range(1, 7), repeat=2))
    matrix = sympy.Matrix([[2, 1], [5, 3]])
    side = 6
    return {
        "algebra/1": sympy.solve(3 * x + 7 - 25)[0],
        "algebra/2": sympy.expand((2 * y - 3) * (y + 4) - 2 * y**2),
        "algebra/3": sympy.prod(sympy.roots(2 * x**2 - 28 * x + 14**2 - 116)),
        "algebra/4": 3 * 5 + sympy.solve(3 * x + x - 8)[0],
        "intermediate_algebra/1": sympy.solve(sympy.sqrt(x + 6) - x)[0],
        "intermediate_algebra/2": sympy.rem(x**10 + 3 * x**3 - 2, x + 1),
        "intermediate_algebra/3": sympy.nsimplify(sum(1 / root for root in roots), rational=True),
        "intermediate_algebra/4": sympy.Interval.Lopen(-3, 1),
        "prealgebra/1": sympy.Rational(3, 4) * sympy.Rational(2, 5) * 60,
        "prealgebra/2": sympy.Integer(48) / sympy.Rational(80, 100),
        "prealgebra/3": sympy.Rational(1, 10) + sympy.Rational(6, 90),
        "prealgebra/4": 6 * 14 - 5 * 12,
        "number_theory/1": sympy.gcd(84, 126),
        "number_theory/2": pow(7, 2026, 10),
        "number_theory/3": next(n for n in range(1, 99) if n % 5 == 2 and n % 7 == 3),
        "number_theory/4": "".join(map(str, [125 // 36, 125 // 6 % 6, 125 % 6])),
        "counting_and_probability/1": len(set(permutations("LEVEL"))),
        "counting_and_probability/2": sympy.Rational(sum(sum(d) == 9 for d in dice), len(dice)),
        "counting_and_probability/3": sum(str(n).count("7") == 1 for n in range(100, 1000)),
        "counting_and_probability/4": sum(
            p + q + r == 10 for p, q, r in product(range(2, 11), range(4), range(11))
        ),
        "geometry/1": sympy.sqrt(9**2 + 12**2),
        "geometry/2": 2 * sympy.pi * sympy.sqrt(49),
        "geometry/3": sympy.sqrt(21 * 8 * 7 * 6) / 21,
        "geometry/4": sympy.pi * side**2 - 6 * sympy.sqrt(3) / 4 * side**2,
        "precalculus/1": sympy.sin(sympy.rad(150)) + sympy.cos(sympy.rad(60)),
        "precalculus/2": a.cross(b),
        "precalculus/3": sympy.expand((1 + sympy.I) ** 8),
        "precalculus/4": matrix.inv(),
    }


SAMPLE = {problem.unique_id: problem for problem in load_problems("sample")}


def test_every_problem_is_worked_out():
    assert {f"sample/{name}.json" for name in answers()} == set(SAMPLE)


@pytest.mark.parametrize("name", answers())
async def test_the_answer_is_right(name):
    value = answers()[name]
    gold = SAMPLE[f"sample/{name}.json"].answer
    if isinstance(value, str):
        assert gold == f"{value}_6"
    else:
        verdict = await verify(gold, sympy.latex(value))
        assert verdict.correct, (gold, sympy.latex(value), verdict)


def test_the_solutions_end_in_their_answers():
    import json
    from importlib import resources

    text = (resources.files("math500_entropy") / "data" / "sample.jsonl").read_text()
    for row in map(json.loads, text.splitlines()):
        assert last_boxed(row["solution"]) == row["answer"], row["unique_id"]
