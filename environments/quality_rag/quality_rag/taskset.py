"""One task per question: find the answer in a story that only the search tool can see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import verifiers.v1 as vf
from inward_chat import ExistingFile, LocalEnv, LocalEnvConfig, local_agent
from inward_retrieval import require_extras, require_models, required_api_key

from quality_rag import calls, passages
from quality_rag.data import DataError, Question, Split, load_questions
from quality_rag.prompt import (
    LETTERS,
    Context,
    parse_answer,
    shuffled_order,
    system_prompt,
    user_prompt,
)
from quality_rag.search import SearchToolConfig, StorySearch, StorySearchConfig, StoryState

MAX_TURNS = 16


class QualityRagConfig(vf.TasksetConfig):
    split: Split = "dev"
    """`train` or `dev` of QuALITY v1.0.1, fetched on first use, or the shipped `sample`."""
    path: ExistingFile | None = None
    """A file of the original QuALITY schema, in place of `split`."""
    hard_only: bool = False
    """Only the HARD subset."""
    context: Context = "search"
    """What the policy gets of the story: the search tool, the `full` text, or `none`."""
    shuffle_options: bool = False
    """Shuffle the options by `seed`, except where one refers to the others."""
    seed: int = 0
    tools: SearchToolConfig = SearchToolConfig()
    """The search tool, under `--env.taskset.tools.*`."""


class QualityRagData(vf.TaskData):
    story_id: str
    story_chars: int
    options: tuple[str, str, str, str]
    """As shown, A to D."""
    gold: str
    """The right letter. Scoring alone reads it: no prompt and no tool does."""
    hard: bool
    chunk_overlap: int = 0
    """Maximum words that a passage shares with the one before it."""


StoryTrace = vf.Trace[QualityRagData, StoryState, vf.AgentConfig]


class QualityRagTask(vf.Task[QualityRagData, StoryState]):
    @property
    def key(self) -> str:
        return f"{self.data.id}:{self.hash[:12]}"

    @property
    def gold_answers(self) -> tuple[str, str]:
        """What states it, letter and text: for environments that look for leaks."""
        return self.data.gold, self.data.options[LETTERS.index(self.data.gold)]

    async def setup(self, trace: vf.Trace[Any, Any, Any], runtime: vf.Runtime) -> None:
        trace.state.story_id = self.data.story_id

    @vf.intercept
    def note_dropped_calls(self, response: vf.Response, trace: vf.Trace) -> None:  # type: ignore[type-arg]
        if count := calls.dropped(response):
            trace.info["dropped_calls"] = trace.info.get("dropped_calls", 0) + count

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
        shown = list(passages.shown(trace.tool_messages))
        seen = passages.characters_seen(shown, self.data.chunk_overlap)
        return {
            "searches": len(queries),
            "repeated_queries": len(queries) - len(set(queries)),
            "repeated_passages": len(shown) - len(dict(shown)),
            "story_seen": seen / self.data.story_chars,
        }

    @vf.metric
    async def broken_calls(self, trace: StoryTrace) -> float:
        """Tool calls that no tool could take."""
        replies = trace.assistant_messages
        lost: int = trace.info.get("dropped_calls", 0) + calls.in_text(replies)
        return lost + calls.refused(replies, trace.tools)

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
        key = required_api_key(tools.retriever) if tools.url is None else None
        server = StorySearchConfig(**dict(tools), split=config.split, path=config.path, api_key=key)
        return [StorySearch(server)]

    def load(self) -> Iterable[QualityRagTask]:
        """DataError where there is no question to ask, and as `load_questions`."""
        config, total, asked = self.config, 0, 0
        for question in load_questions(config.split, config.path):
            total += 1
            if question.hard or not config.hard_only:
                asked += 1
                yield QualityRagTask(self.data(question), config.task)
        where = str(config.path or config.split)
        if not total:
            raise DataError(f"{where!r} holds no question: its articles have empty `questions`")
        if not asked:
            raise DataError(
                f"none of the {total} questions of {where!r} is in the HARD subset (`difficult` 1):"
                " drop --env.taskset.hard-only"
            )

    def data(self, question: Question) -> QualityRagData:
        context, tools = self.config.context, self.config.tools
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
            system_prompt=system_prompt(context, skip_seen=tools.skip_seen, read=tools.read),
            story_id=story.id,
            story_chars=len(story.text),
            options=(first, second, third, fourth),
            gold=LETTERS[order.index(question.gold)],
            hard=question.hard,
            chunk_overlap=tools.retriever.chunk_overlap,
        )


class QualityRagEnvConfig(LocalEnvConfig):
    agent: vf.AgentConfig = local_agent(max_turns=MAX_TURNS)


class QualityRagEnv(LocalEnv, vf.Env[QualityRagEnvConfig]):
    """One rollout per question, in process, of at most 16 turns."""
