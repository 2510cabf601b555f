"""QuALITY long stories, multiple choice; the policy's only tool searches the one story."""

from inward_chat import InwardChat

from quality_rag.taskset import QualityRagEnv, QualityRagTaskset

# The harness too: any other environment (`--env.id best-of-n`) then plays these tasks with it,
# where verifiers would put a shell.
__all__ = ["InwardChat", "QualityRagEnv", "QualityRagTaskset"]
