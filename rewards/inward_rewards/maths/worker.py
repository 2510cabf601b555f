"""The program of the verifier's killable processes (`inward_rewards.sandbox`)."""

from typing import Any

from inward_rewards.maths.check import UnreadableGoldError, check
from inward_rewards.sandbox import Broken, Message

# What parsing and comparing compile and cache at their first use, every worker then inherits.
_WARM_UP = [
    (r"\frac{\sqrt{3}}{2}", r"\frac{3}{2\sqrt{3}}"),
    (r"(-\infty, 2) \cup [3, \infty)", r"x < 2 \text{ or } x \ge 3"),
    (r"\begin{pmatrix} 1/5 \\ -2 \end{pmatrix}", r"\begin{pmatrix} 0.2 \\ -2 \end{pmatrix}"),
    (r"y = 2x^2 + 3", "2x^2 - y + 3 = 0"),
    (r"\{1 \pm \sqrt{5}, -2\}", r"-2, 1 - \sqrt{5}, 1 + \sqrt{5}"),
    (r"6 - 5i", r"\text{none}"),
]


def prepare() -> None:
    for pair in _WARM_UP:
        check(*pair)


def start() -> None:
    pass


def answer(header: dict[str, Any], blobs: list[bytes]) -> Message:
    """`reason`, or `gold_error` where the gold cannot be read."""
    try:
        return {"reason": check(header["gold"], header["answer"])}, []
    except UnreadableGoldError as error:
        return {"gold_error": str(error)}, []
    except RecursionError as error:
        raise Broken from error  # nested deeper than the interpreter's counted limit
