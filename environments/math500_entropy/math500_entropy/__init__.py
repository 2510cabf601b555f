"""MATH-500 with a bonus for the matrix entropy of the policy's own hidden states."""

from inward_chat import InwardChat

from math500_entropy.env import Math500EntropyEnv
from math500_entropy.taskset import Math500EntropyTaskset

# The harness too: any other environment (`--env.id best-of-n`) then plays these tasks with it,
# where verifiers would put a shell.
__all__ = ["InwardChat", "Math500EntropyEnv", "Math500EntropyTaskset"]
