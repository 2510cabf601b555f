"""One answer against one gold, with math-verify.

Runs in the pool's workers only: it sets no limits of its own, and what it is given may never end.
"""

import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import sympy
import sympy.core.random
from math_verify import LatexExtractionConfig, LatexNormalizationConfig, parse, verify

from inward_rewards.maths import shapes, solved, units, words
from inward_rewards.maths.notation import rewritten
from inward_rewards.maths.numeric import (
    agree_where_real,
    clearly_different,
    exactly_equal,
    is_alternating,
    over_integers,
    real_roots,
    rounds_to,
)
from inward_rewards.maths.readings import approximation, other_readings
from inward_rewards.maths.verdict import Reason

# math-verify warns once a process that its own timeouts are off: they need the main thread of a
# program and cannot stop C code, so the pool's limits take their place.
logging.getLogger("math_verify").setLevel(logging.ERROR)

# Nothing is searched for in an answer: the whole of it is read, in a box. `notation` and `units`
# stand in for the two normalisations switched off.
_WHOLE = LatexExtractionConfig(
    try_extract_without_anchor=False,
    boxed_match_priority=0,
    normalization_config=LatexNormalizationConfig(
        basic_latex=True, units=False, malformed_operators=False, nits=True, boxed="all"
    ),
)


class UnreadableGoldError(ValueError):
    """math-verify reads nothing in the gold answer: no answer could ever match it."""


class Reading(NamedTuple):
    text: str
    unit: units.Unit | None
    forms: list[Any]  # math-verify's: a sympy object, and the text that it read


def check(gold: str, answer: str) -> Reason:
    """`equal`, `different` or `unreadable`. Raises `UnreadableGoldError`."""
    # sympy draws random points to tell expressions apart; the same answer gets the same points.
    sympy.core.random.seed(0)
    expected = _read_gold(gold)
    if words.equal(gold, answer):
        return "equal"
    found = read(answer)
    if not found.forms:
        return "unreadable"
    if _equal(expected, found):
        return "equal"
    if any(_equal(one, other) for one, other in _other_senses(expected, found)):
        return "equal"
    if any(_equal(read(one), read(other)) for one, other in other_readings(gold, answer)):
        return "equal"
    return "unreadable" if isinstance(found.forms[0], str) else "different"


def read(text: str) -> Reading:
    text = rewritten(text)
    exact, rounded = approximation(text)
    value, unit = units.split(exact)
    forms = _parsed(value)
    if rounded is not None and not (forms and rounds_to(forms[0], rounded)):
        return Reading(text, None, [text])
    return Reading(value, unit, forms)


def _parsed(text: str) -> list[Any]:
    forms = parse(
        f"\\boxed{{{text}}}",
        extraction_config=[_WHOLE],
        extraction_mode="first_match",
        parsing_timeout=None,
    )
    return [_with_imaginary_unit(form) for form in forms]


@lru_cache(maxsize=4096)
def _read_gold(gold: str) -> Reading:
    reading = read(gold)
    if not reading.forms:
        raise UnreadableGoldError(
            f"the gold answer {gold!r} has no mathematical reading: mend or drop its row"
        )
    return reading


def _equal(gold: Reading, answer: Reading) -> bool:
    if not gold.forms or not answer.forms:
        return False
    if gold.unit and answer.unit and gold.unit != answer.unit:
        ratio = units.ratio(gold.unit, answer.unit)
        if ratio is None:
            return False
        factor = rf"\frac{{{ratio.numerator}}}{{{ratio.denominator}}}"
        answer = Reading(answer.text, None, _parsed(rf"{factor} \cdot ({answer.text})"))
    if (one := _BASED.fullmatch(gold.text)) and (other := _BASED.fullmatch(answer.text)):
        return (one["digits"].upper(), one["base"]) == (other["digits"].upper(), other["base"])
    expected, found = gold.forms[0], answer.forms[0]
    if _same_residue(gold, answer):
        return True
    if clearly_different(expected, found):
        return False
    if (equal := exactly_equal(expected, found)) is not None:
        return equal
    if solved.inequalities(expected) or solved.inequalities(found):
        return _same_solutions(gold, answer)
    if solved.contradiction(found) and not isinstance(expected, sympy.Eq):
        return False
    if solved.still_to_solve(expected, found) or shapes.differ(
        gold.text, expected, answer.text, found
    ):
        return False
    one, other = shapes.alike(*_same_letters(expected, found))
    if verify([one, *gold.forms[1:]], [other, *answer.forms[1:]], timeout_seconds=None):
        return True
    return agree_where_real(one, other)


def _other_senses(gold: Reading, answer: Reading) -> Iterator[tuple[Reading, Reading]]:
    """The same with real roots of negative numbers, and over the integers."""
    if not gold.forms or not answer.forms:
        return
    forms = gold.forms[0], answer.forms[0]
    senses = [real_roots]
    if any(map(is_alternating, forms)):
        senses.append(over_integers)
    for sense in senses:
        meant = [sense(form) for form in forms]
        if any(new != old for new, old in zip(meant, forms, strict=True)):
            yield gold._replace(forms=meant[:1]), answer._replace(forms=meant[1:])


def _same_residue(gold: Reading, answer: Reading) -> bool:
    """Of two numbers with the same modulus: 10 (mod 7) is 3 (mod 7)."""
    one, other = gold.forms[0], answer.forms[0]
    if gold.unit is None or gold.unit != answer.unit or not gold.unit[0].startswith(units.MODULUS):
        return False
    if not (isinstance(one, sympy.Integer) and isinstance(other, sympy.Integer)):
        return False
    modulus = int(gold.unit[0].removeprefix(units.MODULUS))
    return modulus > 0 and int(one - other) % modulus == 0


# 4210_{5}: math-verify drops the base.
_BASED = re.compile(r"(?P<digits>[0-9A-Za-z]+)_\{?(?P<base>\d+)\}?")


def _with_imaginary_unit(form: Any) -> Any:
    """math-verify reads `i` as a variable, real or complex by what stands beside it."""
    if not isinstance(form, sympy.Basic | sympy.MatrixBase) or form.has(*_ORDERED):
        return form
    letters = {symbol: sympy.I for symbol in form.free_symbols if symbol.name == "i"}
    return form.subs(letters) if letters else form


def _same_letters(one: Any, other: Any) -> tuple[Any, Any]:
    """math-verify takes a letter for real or not by what stands beside it, each side alone."""
    if not all(isinstance(form, sympy.Basic | sympy.MatrixBase) for form in (one, other)):
        return one, other
    letters = one.free_symbols | other.free_symbols
    if len({letter.name for letter in letters}) == len(letters):
        return one, other
    plain = {letter: sympy.Symbol(letter.name) for letter in letters}
    return one.subs(plain), other.subs(plain)


# What no complex number can stand in.
_ORDERED = (sympy.Interval, sympy.Lt, sympy.Le, sympy.Gt, sympy.Ge)


def _same_solutions(gold: Reading, answer: Reading) -> bool:
    """Intervals and inequalities in solved form, in whatever notation."""
    one, other = (solved.solutions(reading.forms[0], reading.text) for reading in (gold, answer))
    if one is None and other is None:
        return bool(verify(gold.forms, answer.forms, timeout_seconds=None))
    if one is None or other is None:
        return False
    return one == other or bool(verify([one], [other], timeout_seconds=None))
