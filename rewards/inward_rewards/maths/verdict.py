"""What the verifier says about one answer."""

from dataclasses import dataclass
from typing import Literal

Reason = Literal[
    "equal", "different", "unreadable", "echoed", "empty", "too_long", "timeout", "crash"
]


@dataclass(frozen=True)
class Verdict:
    """`correct` and why.

    `equal` and `different` come from a comparison; `unreadable` means that nothing mathematical
    could be read in the answer, `echoed` that it is copied from its problem. `too_long`, `timeout`
    (CPU time) and `crash` (memory, a fault in C code) are the answer's own fault: it is wrong, and
    `verify_timeout` tells it from a wrong value.
    """

    correct: bool
    reason: Reason

    @property
    def verify_timeout(self) -> bool:
        """True where the answer was refused or killed rather than compared."""
        return self.reason in ("too_long", "timeout", "crash")
