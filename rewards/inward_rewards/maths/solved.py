"""Inequalities in solved form, as sets of numbers.

Solved means that the variable stands alone against constants: `x < 2 or x > 3`, `1 > x > -1`,
`x \\ne 3`. An inequality that still has to be solved is no answer: solving it here would pay a
policy for copying the question.
"""

import re
from typing import Any

import sympy
from sympy.core.relational import Relational

from inward_rewards.maths.numeric import clearly_different

_OR = re.compile(r"\bor\b")
_AND_OR = re.compile(r"\b(?:and|or)\b")


def solutions(form: Any, text: str) -> sympy.Set | None:
    """The set that a form describes; None: it is neither a set of intervals nor solved."""
    if isinstance(form, sympy.Interval | sympy.Union | sympy.Complement):
        return form
    if form is sympy.S.Reals:
        return form
    listed = isinstance(form, sympy.And) or (
        isinstance(form, sympy.FiniteSet) and ("," in text or _AND_OR.search(text))
    )
    parts = form.args if listed else (form,)
    variables = {_variable(part) for part in parts}
    if len(variables) != 1 or None in variables:
        return None
    join = sympy.Union if _OR.search(text) else sympy.Intersection
    try:
        found = join(*(part.as_set() for part in parts))
        return None if found.is_empty else found
    except (NotImplementedError, TypeError, ValueError):  # a constant that sympy cannot place
        return None


def inequalities(form: Any) -> bool:
    """Whether a form is made of them."""
    if isinstance(form, sympy.And | sympy.FiniteSet):
        return bool(form.args) and all(map(inequalities, form.args))
    return isinstance(form, Relational) and not isinstance(form, sympy.Eq)


def still_to_solve(one: Any, other: Any) -> bool:
    """Whether one is an equation that the other gives the solution of: `2x = 10`, `x = 5`."""
    equations = [form for form in (one, other) if isinstance(form, sympy.Eq)]
    symbols = {symbol for form in equations for symbol in form.free_symbols}
    if len(symbols) != 1 or all(_gives_a_value(form) for form in equations):
        return False
    if len(equations) == 2:
        return any(_gives_a_value(form) for form in equations)
    return isinstance(one, sympy.Set) or isinstance(other, sympy.Set)


def contradiction(form: Any) -> bool:
    """Whether a form is an equation of two different numbers: `7 = 4` gives neither."""
    return (
        isinstance(form, sympy.Eq)
        and not form.free_symbols
        and clearly_different(form.lhs, form.rhs)
    )


def _gives_a_value(form: sympy.Eq) -> bool:
    sides = (form.lhs, form.rhs), (form.rhs, form.lhs)
    return any(isinstance(one, sympy.Symbol) and not other.free_symbols for one, other in sides)


def _variable(part: Any) -> sympy.Symbol | None:
    """What stands alone on one side of an inequality, the other side being constant."""
    if isinstance(part, sympy.And):  # 0 < x < 3
        variables = {_variable(one) for one in part.args}
        return variables.pop() if len(variables) == 1 else None
    if not isinstance(part, Relational) or isinstance(part, sympy.Eq):
        return None
    for side, other in ((part.lhs, part.rhs), (part.rhs, part.lhs)):
        if isinstance(side, sympy.Symbol) and not other.free_symbols:
            return side
    return None
