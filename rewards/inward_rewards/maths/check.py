"""One answer against one gold, with math-verify.

Runs in the pool's workers only: it sets no limits of its own, and what it is given may never end.
"""

import logging
import re
from functools import lru_cache
from typing import Any, NamedTuple

import sympy
import sympy.core.random
from math_verify import LatexExtractionConfig, LatexNormalizationConfig, parse, verify
from sympy.core.relational import Eq, Relational

from inward_rewards.maths import units
from inward_rewards.maths.notation import rewritten
from inward_rewards.maths.verdict import Reason

# math-verify warns once a process that its own timeouts are off: they need the main thread of a
# program and cannot stop C code, so the pool's limits take their place.
logging.getLogger("math_verify").setLevel(logging.ERROR)

# `notation` and `units` stand in for the two switched off.
_CONFIG = LatexExtractionConfig(
    normalization_config=LatexNormalizationConfig(
        basic_latex=True, units=False, malformed_operators=False, nits=True, boxed="all"
    )
)
_RELATIVE_ERROR = 1e-5


class UnreadableGoldError(ValueError):
    """math-verify reads nothing in the gold answer: no answer could ever match it."""


class Reading(NamedTuple):
    text: str
    unit: tuple[str, int] | None
    forms: list[Any]  # math-verify's: a sympy object, and the text that it read


def check(gold: str, answer: str) -> Reason:
    """`equal`, `different` or `unreadable`. Raises `UnreadableGoldError`."""
    # sympy draws random points to tell expressions apart; the same answer gets the same points.
    sympy.core.random.seed(0)
    expected = _read_gold(gold)
    found = read(answer)
    if _words(gold) == _words(answer):
        return "equal"
    if not found.forms:
        return "unreadable"
    if _equal(expected, found):
        return "equal"
    return "unreadable" if isinstance(found.forms[0], str) else "different"


def read(text: str) -> Reading:
    value, unit = units.split(rewritten(text))
    return Reading(value, unit, _parsed(value))


def _parsed(text: str) -> list[Any]:
    forms = parse(f"\\boxed{{{text}}}", extraction_config=[_CONFIG], parsing_timeout=None)
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
    if gold.unit and answer.unit and gold.unit != answer.unit:
        return False
    if (one := _BASED.fullmatch(gold.text)) and (other := _BASED.fullmatch(answer.text)):
        return (one["digits"].upper(), one["base"]) == (other["digits"].upper(), other["base"])
    if verify(gold.forms, answer.forms, timeout_seconds=None, allow_set_relation_comp=True):
        return not _only_rounding_agrees(gold.forms[0], answer.forms[0])
    return _same_solutions(gold, answer)


# 4210_{5}: math-verify drops the base.
_BASED = re.compile(r"(?P<digits>[0-9A-Za-z]+)_\{?(?P<base>\d+)\}?")


def _only_rounding_agrees(gold: Any, answer: Any) -> bool:
    """math-verify rounds decimals to six places, where small numbers are all alike."""
    if not (isinstance(gold, sympy.Number) and isinstance(answer, sympy.Number)):
        return False
    if gold == answer:
        return False
    return bool(abs(gold - answer) > _RELATIVE_ERROR * abs(gold))


def _with_imaginary_unit(form: Any) -> Any:
    """math-verify reads `i` as a variable, real or complex by what stands beside it."""
    if not isinstance(form, sympy.Basic | sympy.MatrixBase):
        return form
    letters = {symbol: sympy.I for symbol in form.free_symbols if symbol.name == "i"}
    return form.subs(letters) if letters else form


def _same_solutions(gold: Reading, answer: Reading) -> bool:
    """Inequalities in one variable, in whatever form: `x<2 or x>3`, `|x| < 1`, `1 > x > -1`."""
    if isinstance(gold.forms[0], str) or isinstance(answer.forms[0], str):
        return False
    one, other = _solutions(gold), _solutions(answer)
    return one is not None and other is not None and one == other


def _solutions(reading: Reading) -> sympy.Set | None:
    form = reading.forms[0]
    if isinstance(form, sympy.Interval | sympy.Union):
        return form
    parts = form.args if isinstance(form, sympy.And | sympy.FiniteSet) else (form,)
    if not all(isinstance(part, Relational) and not isinstance(part, Eq) for part in parts):
        return None
    if len(form.free_symbols) != 1:
        return None
    join = sympy.Union if isinstance(form, sympy.FiniteSet) else sympy.Intersection
    return join(*(part.as_set() for part in parts))


def _words(text: str) -> str:
    """A text answer without its typesetting: `6:00 \\text{ p.m.}` and `6:00 PM` are one."""
    text = re.sub(r"\\(?:text|mathrm|mbox|textbf|mathbf)\s*|\\[ ,;!]|[${}]", "", text)
    text = re.sub(r"(?<!\d)\.|\.(?!\d)", "", text)
    return re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text).lower()
