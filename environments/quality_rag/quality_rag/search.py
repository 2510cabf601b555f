"""The search tool's server: one process an env worker, each rollout's story found by its State."""

from __future__ import annotations

from pathlib import Path

import verifiers.v1 as vf
from inward_retrieval import Bm25Config, Retriever, RetrieverConfig, build_retriever
from pydantic import Field

from quality_rag import passages
from quality_rag.data import Split, load_stories

MAX_QUERY_CHARS = 2000


class StoryState(vf.State):
    story_id: str = ""


class SearchConfig(vf.SharedToolsetConfig):
    retriever: RetrieverConfig = Bm25Config()
    """How stories are cut and searched, under `--env.taskset.tools.retriever.*`."""
    passages: int = Field(4, ge=1, le=50)
    """Passages a search returns."""


class StorySearchConfig(SearchConfig):
    """`SearchConfig` and where the stories are: what the server process is started with."""

    split: Split
    path: Path | None


class StorySearch(vf.Toolset[StorySearchConfig, StoryState]):
    TOOL_PREFIX = None

    async def setup(self) -> None:
        self.stories = load_stories(self.config.split, self.config.path)
        self.retriever: Retriever = build_retriever(self.stories, self.config.retriever)

    @vf.tool
    async def search(self, query: str) -> str:
        """Search the story. Returns the passages that match the query best, in story order, each
        with its number and how far into the story it lies."""
        if not query.strip():
            raise ValueError("the query is empty: name what to look for")
        if len(query) > MAX_QUERY_CHARS:
            raise ValueError(
                f"the query has {len(query)} characters: {MAX_QUERY_CHARS} are the limit"
            )
        story_id = self.state.story_id
        hits = await self.retriever.search(story_id, query, self.config.passages)
        return passages.render(hits, len(self.stories[story_id]))


if __name__ == "__main__":
    StorySearch.run()
