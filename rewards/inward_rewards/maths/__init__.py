"""Maths answers verified with math-verify, made safe for answers that a policy wrote.

    from inward_rewards.maths import verify
    verdict = await verify(r"\\frac{1}{2}", "0.5")   # Verdict(correct=True, reason='equal')

Needs the extra: `pip install "inward-rewards[maths]"`. Linux and macOS.
"""

from inward_rewards.maths.verdict import Verdict
from inward_rewards.maths.verifier import Verifier, default_verifier, verify
from inward_rewards.sandbox import PoolError

__all__ = ["PoolError", "Verdict", "Verifier", "default_verifier", "verify"]
