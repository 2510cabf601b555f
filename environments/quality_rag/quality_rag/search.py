"""The search tool's server: one process per env worker, each rollout's story found by its State."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import verifiers.v1 as vf
from inward_chat import Toolset
from inward_retrieval import (
    Bm25Config,
    RejectedTextError,
    Retriever,
    RetrieverConfig,
    build_retriever,
)
from mcp import MCPError
from mcp_types import INTERNAL_ERROR
from pydantic import ConfigDict, Field, SecretStr, field_serializer, field_validator

from quality_rag import passages
from quality_rag.data import Split, load_stories
from quality_rag.passages import StoryPassages

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

MAX_QUERY_CHARS = 2000


class StoryState(vf.State):
    story_id: str = ""
    seen: tuple[int, ...] = ()
    """With `skip_seen`: ids of the chunks that the rollout was shown."""


class SearchToolConfig(vf.SharedToolsetConfig):
    retriever: RetrieverConfig = Bm25Config()
    """How stories are cut and searched, under `--env.taskset.tools.retriever.*`."""
    passages: int = Field(4, ge=1, le=50)
    """Maximum passages per search."""
    skip_seen: bool = False
    """A search leaves out the passages that its rollout was shown before."""
    read: bool = False
    """Offer a second tool, `read(passage)`: one passage by its number."""

    @field_validator("runtime")
    @classmethod
    def _runtime_keeps_its_type(cls, runtime: vf.RuntimeConfig) -> vf.RuntimeConfig:
        """verifiers from 0.4.1 on reads the fields that were set: a type that is only a class's
        default is lost, and a server meant for Docker starts on this machine."""
        kept: vf.RuntimeConfig = runtime.model_copy(update={"type": runtime.type})
        return kept


class StorySearchConfig(SearchToolConfig):
    """`SearchToolConfig`, where the stories are, and the key: what the server process is started
    with. It is part of no run's record."""

    # A wrong value is named without the rest, which holds the key.
    model_config = ConfigDict(hide_input_in_errors=True)

    split: Split
    path: Path | None
    api_key: SecretStr | None = None
    """Of the embedding server. The process inherits no variable with API_KEY in its name."""

    @field_serializer("api_key", when_used="json")
    def _reveal(self, key: SecretStr | None) -> str | None:
        """JSON is how the process gets its config."""
        return None if key is None else key.get_secret_value()


class StorySearch(Toolset[StorySearchConfig, StoryState]):
    TOOL_PREFIX = None

    async def setup(self) -> None:
        # In the background: verifiers gives a server three minutes to listen, and the first index
        # of a dense retriever may take longer. A search waits for it, under the tool's timeout.
        self.index = asyncio.create_task(asyncio.to_thread(self._build))

    def _build(self) -> tuple[dict[str, str], Retriever]:
        stories = load_stories(self.config.split, self.config.path)
        key = self.config.api_key
        return stories, build_retriever(
            stories, self.config.retriever, api_key=None if key is None else key.get_secret_value()
        )

    def register(self, mcp: MCPServer) -> None:
        super().register(mcp)
        if not self.config.read:
            mcp.remove_tool("read")

    @vf.tool
    async def search(self, query: str) -> str:
        """Search the story. Returns the passages that match the query best, in story order, each
        with its number, how far into the story it lies, and its rank. The query "passage 12"
        returns passage 12."""
        if not query.strip():
            raise ValueError("the query is empty: name what to look for")
        if len(query) > MAX_QUERY_CHARS:
            raise ValueError(
                f"the query has {len(query)} characters: {MAX_QUERY_CHARS} are the limit"
            )
        async with self._found() as (story, retriever):
            number = passages.asked_number(query)
            if number is None:
                return await self._matching(story, query, retriever)
            return self._numbered(story, number) or story.no_such_passage(number)

    @vf.tool
    async def read(self, passage: int) -> str:
        """Read one passage of the story by its number, from 1."""
        async with self._found() as (story, _):
            text = self._numbered(story, passage)
        if text is None:
            raise ValueError(story.no_such_passage(passage))
        return text

    @asynccontextmanager
    async def _found(self) -> AsyncIterator[tuple[StoryPassages, Retriever]]:
        """The rollout's story. What fails inside is ours, and no tool error for the model: its
        arguments have been checked."""
        try:
            stories, retriever = await asyncio.shield(self.index)
            story_id = self.state.story_id
            chunks = retriever.chunks(story_id)
            yield StoryPassages(len(stories[story_id]), chunks), retriever
        except RejectedTextError as error:
            # The index was made by the same server: it is this query that it will not read.
            raise ValueError("the search cannot read this query: make it shorter") from error
        except Exception as error:
            raise MCPError(INTERNAL_ERROR, f"search failed: {error}") from error

    async def _matching(self, story: StoryPassages, query: str, retriever: Retriever) -> str:
        seen, limit = self.state.seen, self.config.passages
        found = await retriever.search(self.state.story_id, query, limit + len(seen))
        hits = [hit for hit in found if hit.chunk.id not in seen][:limit]
        if not hits:
            return story.nothing(self.config.retriever.type, seen_before=bool(found))
        self._mark(hit.chunk.id for hit in hits)
        return story.render(hits)

    def _numbered(self, story: StoryPassages, number: int) -> str | None:
        if not 1 <= number <= len(story.chunks):
            return None
        self._mark([number - 1])
        return story.render_one(number)

    def _mark(self, chunk_ids: Iterable[int]) -> None:
        if self.config.skip_seen:  # a State that is not written costs no request
            self.state.seen = tuple(dict.fromkeys((*self.state.seen, *chunk_ids)))


if __name__ == "__main__":
    StorySearch.run()
