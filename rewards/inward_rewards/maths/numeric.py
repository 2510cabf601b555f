"""Values compared without simplifying a difference.

Most wrong answers end here, in a tenth of the time that math-verify takes to find no way to make
the difference zero. It also keeps math-verify, which rounds to six decimal places, from taking
small numbers for equal.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy

# Nearer than this (as a share of the larger), math-verify decides: 0.001429 may stand for 1/700.
_NEAR = 5e-4
# Below this, what is left may be rounding error: of floats, and of none.
_ZERO_OF_FLOATS = 1e-9
_ZERO = 1e-60
# Below this, a decimal stands for no other number.
_SMALL = Fraction(1, 10**9)
# Larger powers are not worked out.
_LARGEST_EXPONENT = 2000
_LARGEST_BASE = 10**30
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
    floats = any(form.free_symbols or form.has(sympy.Float) for form in (one, other))
    size = max(abs(a), abs(b))
    return size > (_ZERO_OF_FLOATS if floats else _ZERO) and abs(a - b) > _NEAR * size


def exactly_equal(one: Any, other: Any) -> bool | None:
    """Of two rational numbers; None: they are none, or a decimal may stand for the other."""
    a, b = _rational(one), _rational(other)
    if a is None or b is None:
        return None
    if a == b:
        return True
    decimal = one.has(sympy.Float) or other.has(sympy.Float)
    return None if decimal and max(abs(a), abs(b)) >= _SMALL else False


def rounds_to(exact: Any, decimal: str) -> bool:
    """Whether a decimal is within one unit in its last place of a number."""
    value, places = _value(exact), len(decimal.partition(".")[2])
    return value is not None and abs(value - float(decimal)) <= 10.0**-places


def agree_where_real(one: Any, other: Any) -> bool:
    """Whether two expressions with roots or logarithms agree wherever all of both is real.

    `\\sqrt{ab}` is `\\sqrt{a}\\sqrt{b}` there, and `\\sqrt{x^2}` is not `x`.
    """
    forms = (one, other)
    if not all(isinstance(form, sympy.Expr) and not form.has(*_LEFT_OUT) for form in forms):
        return False
    letters = sorted(one.free_symbols | other.free_symbols, key=lambda letter: str(letter.name))
    nodes = [node for form in forms for node in sympy.preorder_traversal(form)]
    if not 0 < len(letters) <= _MOST_LETTERS or len(nodes) > _MOST_NODES:
        return False
    partial = [node for node in nodes if _is_partial(node)]
    agreed = 0
    for turn in range(_TURNS):
        signs = max(0, turn - _POSITIVE)  # all positive at first, then every combination
        point = {
            letter: sympy.Float((0.37 + 0.61 * index + 0.083 * turn) * (-1) ** (signs >> index & 1))
            for index, letter in enumerate(letters)
        }
        if not all(_real(node, point) for node in partial):
            continue
        a, b = (_real(form, point) for form in forms)
        if not a or not b or abs(a[0] - b[0]) > _SAME * max(abs(a[0]), abs(b[0])):
            return False
        agreed += 1
    return bool(partial) and agreed >= _POINTS


def real_roots(form: Any) -> Any:
    """Odd roots of negative numbers as the real ones: `(-8)^{1/3}` is -2, not 1 + i sqrt(3)."""
    return _replaced(form, _is_odd_root, lambda root: (-1) ** root.exp.p * (-root.base) ** root.exp)


def over_integers(form: Any) -> Any:
    """Where it has a power of -1, `n` and its like as integers: `(-1)^n` is `\\cos(n\\pi)`."""
    if not isinstance(form, sympy.Basic):
        return form
    letters = [letter for letter in form.free_symbols if letter.name in _COUNTING]
    form = form.subs({letter: sympy.Symbol(letter.name, integer=True) for letter in letters})
    return _replaced(form, _is_inverse_sign, lambda sign: (-1) ** -sign.exp)


def is_alternating(form: Any) -> bool:
    """Whether it has a power of a negative number with such a letter in its exponent."""
    return isinstance(form, sympy.Basic) and any(
        power.base.is_negative and letter.name in _COUNTING
        for power in form.atoms(sympy.Pow)
        for letter in power.exp.free_symbols
    )


_COUNTING = frozenset("jklmn")


def _is_inverse_sign(form: Any) -> bool:
    return (
        isinstance(form, sympy.Pow)
        and form.base == -1
        and bool(form.exp.could_extract_minus_sign())
    )


def _is_odd_root(form: Any) -> bool:
    return (
        isinstance(form, sympy.Pow)
        and isinstance(form.base, sympy.Rational)
        and isinstance(form.exp, sympy.Rational)
        and form.base.is_negative
        and form.exp.q > 1
        and form.exp.q % 2 == 1
    )


def _replaced(form: Any, query: Callable[[Any], bool], value: Callable[[Any], Any]) -> Any:
    return form.replace(query, value) if isinstance(form, sympy.Basic) else form


_MOST_LETTERS = 4
_MOST_NODES = 60
_POSITIVE = 3
_TURNS = _POSITIVE + (1 << _MOST_LETTERS)
_POINTS = 3
_SAME = 1e-10


def _is_partial(node: Any) -> bool:
    """Whether it is real for some real numbers only."""
    return isinstance(node, sympy.log) or (
        isinstance(node, sympy.Pow) and node.exp.is_integer is not True
    )


def _real(form: Any, point: dict[sympy.Symbol, sympy.Float]) -> tuple[float] | None:
    try:
        value = complex(form.evalf(subs=point))
    except (TypeError, ValueError, ArithmeticError, NotImplementedError):
        return None
    return (value.real,) if abs(value.imag) < _SAME and abs(value) < float("inf") else None


def _rational(form: Any) -> Fraction | None:
    """The exact value of sums, products and integer powers of plain numbers."""
    if isinstance(form, sympy.Rational):
        return Fraction(int(form.p), int(form.q))
    if isinstance(form, sympy.Float):
        return Fraction(str(form)) if form.is_finite else None
    if isinstance(form, sympy.Add | sympy.Mul):
        parts = [_rational(part) for part in form.args]
        if None in parts:
            return None
        total = Fraction(0 if isinstance(form, sympy.Add) else 1)
        for part in parts:
            assert part is not None
            total = total + part if isinstance(form, sympy.Add) else total * part
        return total
    if isinstance(form, sympy.Pow) and isinstance(form.exp, sympy.Integer):
        base = _rational(form.base) if abs(form.exp) <= _LARGEST_EXPONENT else None
        if base is None or max(abs(base.numerator), base.denominator) > _LARGEST_BASE:
            return None
        return base ** int(form.exp) if base or form.exp > 0 else None
    return None


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
