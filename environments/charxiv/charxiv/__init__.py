"""CharXiv: questions about charts of papers, graded by each question's own category."""

from charxiv.taskset import CharxivEnv, CharxivTaskset

__all__ = ["CharxivEnv", "CharxivTaskset"]
