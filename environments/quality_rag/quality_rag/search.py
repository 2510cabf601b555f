"""The search tool's server: one process an env worker, each rollout's story found by its State."""

from __future__ import annotations

import asyncio
from pathlib import Path

import verifiers.v1 as vf
from inward_chat import Toolset
from inward_retrieval import Bm25Config, Retriever, RetrieverConfig, build_retriever
from mcp import MCPError
from mcp_types import INTERNAL_ERROR
from pydantic import Field, field_validator

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

    @field_validator("runtime")
    @classmethod
    def _runtime_keeps_its_type(cls, runtime: vf.RuntimeConfig) -> vf.RuntimeConfig:
        """verifiers from 0.4.1 on reads the fields that were set: a type that is only a class's
        default is lost, and a server meant for Docker starts on this machine."""
        kept: vf.RuntimeConfig = runtime.model_copy(update={"type": runtime.type})
        return kept


class StorySearchConfig(SearchConfig):
    """`SearchConfig` and where the stories are: what the server process is started with."""

    split: Split
    path: Path | None


class StorySearch(Toolset[StorySearchConfig, StoryState]):
    TOOL_PREFIX = None

    async def setup(self) -> None:
        # In the background: verifiers gives a server three minutes to listen, and the first index
        # of a dense retriever may take longer. A search waits for it, under the tool's timeout.
        self.index = asyncio.create_task(asyncio.to_thread(self._build))

    def _build(self) -> tuple[dict[str, str], Retriever]:
        stories = load_stories(self.config.split, self.config.path)
        return stories, build_retriever(stories, self.config.retriever)

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
        try:
            stories, retriever = await asyncio.shield(self.index)
            hits = await retriever.search(story_id, query, self.config.passages)
            return passages.render(hits, len(stories[story_id]))
        except Exception as error:
            # The query has been checked: what fails here is ours, and no tool error for the model.
            raise MCPError(INTERNAL_ERROR, f"search failed: {error}") from error


if __name__ == "__main__":
    StorySearch.run()
