"""Describe a chart in words; it is drawn again from the words alone and paid for the likeness."""

from inward_chat import InwardChat

from chart_reconstruction.taskset import ChartReconstructionEnv, ChartReconstructionTaskset

# The harness too: any other environment (`--env.id best-of-n`) then plays these tasks with it,
# where verifiers would put a shell.
__all__ = ["ChartReconstructionEnv", "ChartReconstructionTaskset", "InwardChat"]
