"""Any taskset, with a bonus for the matrix entropy of the policy's own hidden states."""

from entropy_group.env import EntropyGroupEnv

__all__ = ["EntropyGroupEnv"]
