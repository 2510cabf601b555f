"""CharXiv: questions about charts of papers, graded by each question's own category."""

from inward_chat import InwardChat

from charxiv.taskset import CharxivEnv, CharxivTaskset

# The harness too: any other environment (`--env.id best-of-n`) then plays these tasks with it,
# where verifiers would put a shell.
__all__ = ["CharxivEnv", "CharxivTaskset", "InwardChat"]
