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

from inward_rewards.maths import units
from inward_rewards.maths.notation import rewritten
from inward_rewards.maths.numeric import clearly_different
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
    unit: tuple[str, int] | None
    forms: list[Any]  # math-verify's: a sympy object, and the text that it read


def check(gold: str, answer: str) -> Reason:
    """`equal`, `different` or `unreadable`. Raises `UnreadableGoldError`."""
    # sympy draws random points to tell expressions apart; the same answer gets the same points.
    sympy.core.random.seed(0)
    expected = _read_gold(gold)
    if (words := _words(gold)) is not None and words == _words(answer):
        return "equal"
    found = read(answer)
    if not found.forms:
        return "unreadable"
    if _equal(expected, found):
        return "equal"
    return "unreadable" if isinstance(found.forms[0], str) else "different"


def read(text: str) -> Reading:
    value, unit = units.split(rewritten(text))
    return Reading(value, unit, _parsed(value))


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
    if gold.unit and answer.unit and gold.unit != answer.unit:
        return False
    if (one := _BASED.fullmatch(gold.text)) and (other := _BASED.fullmatch(answer.text)):
        return (one["digits"].upper(), one["base"]) == (other["digits"].upper(), other["base"])
    if clearly_different(gold.forms[0], answer.forms[0]):
        return False
    return verify(
        gold.forms, answer.forms, timeout_seconds=None, allow_set_relation_comp=True
    ) or _same_solutions(gold, answer)


# 4210_{5}: math-verify drops the base.
_BASED = re.compile(r"(?P<digits>[0-9A-Za-z]+)_\{?(?P<base>\d+)\}?")


def _with_imaginary_unit(form: Any) -> Any:
    """math-verify reads `i` as a variable, real or complex by what stands beside it."""
    if not isinstance(form, sympy.Basic | sympy.MatrixBase) or form.has(*_ORDERED):
        return form
    letters = {symbol: sympy.I for symbol in form.free_symbols if symbol.name == "i"}
    return form.subs(letters) if letters else form


# What no complex number can stand in.
_ORDERED = (sympy.Interval, sympy.Lt, sympy.Le, sympy.Gt, sympy.Ge)


def _same_solutions(gold: Reading, answer: Reading) -> bool:
    """Inequalities in one variable, in whatever form: `x<2 or x>3`, `|x| < 1`, `1 > x > -1`."""
    one = _solutions(gold)
    return one is not None and one == _solutions(answer)


def _solutions(reading: Reading) -> sympy.Set | None:
    form = reading.forms[0]
    if isinstance(form, sympy.Interval | sympy.Union):
        return form
    join = sympy.Union if _OR.search(reading.text) else sympy.Intersection
    listed = isinstance(form, sympy.And) or (
        isinstance(form, sympy.FiniteSet) and _AND_OR.search(reading.text)
    )
    parts = form.args if listed else (form,)
    if not all(isinstance(part, _ORDERED) for part in parts) or len(form.free_symbols) != 1:
        return None
    try:
        return join(*(part.as_set() for part in parts))
    except (NotImplementedError, TypeError, ValueError):  # sympy cannot solve it
        return None


_OR = re.compile(r"\bor\b")
_AND_OR = re.compile(r"\b(?:and|or)\b")

_TEXT_COMMAND = re.compile(r"\\(?:text|mathrm|mbox|textbf|mathbf)\s*\{([^{}]*)\}")
_PLAIN_TEXT = re.compile(r"[\w\s.,:;'()%-]+")


def _words(text: str) -> str | None:
    """A text answer without its typesetting: `6:00 \\text{ p.m.}` and `6:00 PM` are one.

    None where there is more than text, or no word.
    """
    text = _TEXT_COMMAND.sub(r"\1", text)
    if not _PLAIN_TEXT.fullmatch(text):
        return None
    text = re.sub(r"\.(?!\d)", "", text)
    text = re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text).lower()
    return text if re.search(r"[^\W\d_]{2}", text) else None
