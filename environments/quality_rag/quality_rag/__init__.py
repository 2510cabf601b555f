"""QuALITY long stories, multiple choice; the policy's only tool searches the one story."""

from quality_rag.taskset import QualityRagEnv, QualityRagTaskset

__all__ = ["QualityRagEnv", "QualityRagTaskset"]
