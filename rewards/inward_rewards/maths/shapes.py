"""Tuples, lists and vectors: a tuple has an order and is no list; a vector is a tuple."""

from typing import Any

import sympy

from inward_rewards.maths.brackets import enclosed, split_at_commas


def differ(gold: str, gold_form: Any, answer: str, answer_form: Any) -> bool:
    """Whether one is a tuple and the other a list or a set, by their texts and forms."""
    shapes = {_shape(gold, gold_form), _shape(answer, answer_form)}
    return shapes == {"tuple", "list"}


def _shape(text: str, form: Any) -> str | None:
    """None: neither, or an assignment of values to names, which is read as both."""
    if "=" in text:
        return None
    round_ = text.replace(r"\left", "").replace(r"\right", "").strip()
    if round_.startswith("(") and enclosed(round_) and len(split_at_commas(round_[1:-1])) > 1:
        return "tuple"
    if isinstance(form, sympy.FiniteSet) and len(form.args) > 1:
        return "list"
    return None


def alike(gold: Any, answer: Any) -> tuple[Any, Any]:
    """A vector beside a tuple becomes one."""
    for one, other in ((gold, answer), (answer, gold)):
        if isinstance(one, sympy.MatrixBase) and isinstance(other, sympy.Tuple | sympy.Interval):
            return _flat(gold), _flat(answer)
    return gold, answer


def _flat(form: Any) -> Any:
    if isinstance(form, sympy.MatrixBase) and 1 in form.shape and len(form) > 1:
        return sympy.Tuple(*form)
    if isinstance(form, sympy.Interval) and form.left_open == form.right_open:
        return sympy.Tuple(form.start, form.end)
    return form
