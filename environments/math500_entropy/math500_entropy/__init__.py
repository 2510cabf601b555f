"""MATH-500 with a bonus for the matrix entropy of the policy's own hidden states."""

from math500_entropy.env import Math500EntropyEnv
from math500_entropy.taskset import Math500EntropyTaskset

__all__ = ["Math500EntropyEnv", "Math500EntropyTaskset"]
