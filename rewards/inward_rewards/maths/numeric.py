"""Expressions that differ in value, told apart without simplifying their difference.

Most wrong answers end here, in a tenth of the time that math-verify takes to find no way to make
the difference zero. It also keeps math-verify, which rounds to six decimal places, from taking
small numbers for equal.
"""

from typing import Any

import sympy

# Nearer than this (as a share of the larger), math-verify decides: 0.001429 may stand for 1/700.
_NEAR = 5e-4
# Below this, what is left may be rounding error.
_ZERO = 1e-9
# Values that take an algorithm of their own, and math-verify's mark of a percentage, which it
# also compares without its hundredth.
_LEFT_OUT = (
    sympy.Sum,
    sympy.Product,
    sympy.Integral,
    sympy.Limit,
    sympy.Derivative,
    sympy.MatrixExpr,
    sympy.UnevaluatedExpr,
)


def clearly_different(one: Any, other: Any) -> bool:
    """Whether two sympy objects are expressions with different values at a point.

    The point is fixed, and generic: its coordinates satisfy no equation of small numbers. Equal
    expressions agree there; expressions that agree there may still differ.
    """
    a, b = _value(one), _value(other)
    if a is None or b is None:
        return False
    size = max(abs(a), abs(b))
    return size > _ZERO and abs(a - b) > _NEAR * size


def _value(form: Any) -> complex | None:
    if not isinstance(form, sympy.Expr) or form.has(*_LEFT_OUT) or _is_word(form):
        return None
    symbols = sorted(form.free_symbols, key=lambda symbol: str(symbol.name))
    point = {
        symbol: sympy.Float(0.3 + sum(map(ord, symbol.name)) % 997 / 1777) for symbol in symbols
    }
    try:
        value = complex(form.evalf(subs=point) if point else form.evalf())
    except (TypeError, ValueError, ArithmeticError, NotImplementedError):
        # an unknown function, 1/0, too large for a float: no value to compare
        return None
    return value if abs(value) < float("inf") else None


def _is_word(form: sympy.Expr) -> bool:
    """A text answer: a symbol, or the product of the letters that it was read as."""
    factors = sympy.Mul.make_args(form)
    return all(factor.is_Symbol or factor in (sympy.E, sympy.I) for factor in factors)
