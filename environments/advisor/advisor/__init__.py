"""Any taskset: a trainable advisor writes advice for a frozen solver, and is paid what it adds."""

from advisor.env import AdvisorEnv

__all__ = ["AdvisorEnv"]
