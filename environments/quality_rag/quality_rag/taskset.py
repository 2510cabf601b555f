"""One task a question: find the answer in a story that only the search tool can see."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from inward_chat import LocalEnv, LocalEnvConfig, local_agent
from inward_retrieval import require_extras, require_models
from pydantic import field_validator

from quality_rag import passages
from quality_rag.data import Question, Split, load_questions
from quality_rag.prompt import (
    LETTERS,
    Context,
    parse_answer,
    shuffled_order,
    system_prompt,
    user_prompt,
)
from quality_rag.search import SearchConfig, StorySearch, StorySearchConfig, StoryState

MAX_TURNS = 16


class QualityRagConfig(vf.TasksetConfig):
    split: Split = "dev"
    """`train` or `dev` of QuALITY v1.0.1, fetched on first use, or the shipped `sample`."""
    path: Path | None = None
    """A file of the original QuALITY schema, in place of `split`."""
    hard_only: bool = False
    """Only the HARD subset."""
    context: Context = "search"
    """What the policy gets of the story: the search tool, the `full` text, or `none`."""
    shuffle_options: bool = False
    """Shuffle the options by `seed`, except where one refers to the others."""
    seed: int = 0
    tools: SearchConfig = SearchConfig()
    """The search tool, under `--env.taskset.tools.*`."""

    @field_validator("path")
    @classmethod
    def _file_exists(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError(f"no such file: {str(path)!r}")
        return path


class QualityRagData(vf.TaskData):
    story_id: str
    story_chars: int
    options: tuple[str, str, str, str]
    """As shown, A to D."""
    gold: str
    """The right letter. Scoring alone reads it: no prompt and no tool does."""
    hard: bool


StoryTrace = vf.Trace[QualityRagData, StoryState, vf.AgentConfig]


class QualityRagTask(vf.Task[QualityRagData, StoryState]):
    @property
    def key(self) -> str:
        return f"{self.data.id}:{self.hash[:12]}"

    async def setup(self, trace: vf.Trace[Any, Any, Any], runtime: vf.Runtime) -> None:
        trace.state.story_id = self.data.story_id

    def answer(self, trace: StoryTrace) -> str | None:
        """The letter of the last reply, if that ends the rollout and calls no tool."""
        replies = trace.assistant_messages
        if not replies or replies[-1].tool_calls:
            return None
        return parse_answer(trace.last_reply, self.data.options)

    @vf.reward
    async def correct(self, trace: StoryTrace) -> float:
        return float(self.answer(trace) == self.data.gold)

    @vf.metric
    async def stop(self, trace: StoryTrace) -> dict[str, float]:
        reason = (
            "answered"
            if self.answer(trace) is not None
            else "max_turns"
            if trace.stop_condition == "max_turns"
            else "no_answer"
        )
        return {name: float(name == reason) for name in ("answered", "no_answer", "max_turns")}

    @vf.metric
    async def search_use(self, trace: StoryTrace) -> dict[str, float]:
        queries = passages.queries(trace.assistant_messages)
        return {
            "searches": len(queries),
            "repeated_queries": len(queries) - len(set(queries)),
            "story_seen": passages.characters_seen(trace.tool_messages) / self.data.story_chars,
        }

    @vf.metric
    async def turns(self, trace: StoryTrace) -> float:
        return trace.num_turns

    @vf.metric
    async def hard(self, trace: StoryTrace) -> float:
        return float(self.data.hard)

    async def validate(self, runtime: vf.Runtime) -> bool:
        """Whether the gold answer is reachable: four different options, and its letter scores."""
        different = len(set(self.data.options)) == len(LETTERS)
        reply = f"Answer: {self.data.gold}"
        return different and parse_answer(reply, self.data.options) == self.data.gold


# verifiers' type variables are invariant: a task with a State of its own is no `Task[.., State]`.
class QualityRagTaskset(vf.Taskset[QualityRagTask, QualityRagConfig]):  # type: ignore[type-var]
    @classmethod
    def toolsets(cls, config: QualityRagConfig) -> list[vf.Toolset[Any, Any]]:
        if config.context != "search":
            return []
        tools = config.tools
        if tools.url is None and tools.runtime.type == "subprocess":
            # Here, not in each rollout after the server's start and its retries.
            require_extras(tools.retriever)
            require_models(tools.retriever)
        where = StorySearchConfig(
            url=tools.url,
            runtime=tools.runtime,
            retriever=tools.retriever,
            passages=tools.passages,
            split=config.split,
            # The server's process has a working directory of its own.
            path=None if config.path is None else config.path.resolve(),
        )
        return [StorySearch(where)]

    def load(self) -> Iterable[QualityRagTask]:
        for question in load_questions(self.config.split, self.config.path):
            if question.hard or not self.config.hard_only:
                yield QualityRagTask(self.data(question), self.config.task)

    def data(self, question: Question) -> QualityRagData:
        context = self.config.context
        order = list(range(len(question.options)))
        if self.config.shuffle_options:
            order = shuffled_order(question.options, self.config.seed, question.id)
        first, second, third, fourth = options = [question.options[i] for i in order]
        story = question.story
        return QualityRagData(
            id=question.id,
            prompt=user_prompt(
                story.title, question.text, options, story.text if context == "full" else None
            ),
            system_prompt=system_prompt(context),
            story_id=story.id,
            story_chars=len(story.text),
            options=(first, second, third, fourth),
            gold=LETTERS[order.index(question.gold)],
            hard=question.hard,
        )


class QualityRagEnvConfig(LocalEnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=MAX_TURNS)


class QualityRagEnv(LocalEnv, vf.Env[QualityRagEnvConfig]):
    """One rollout a question, in process, of at most 16 turns."""
