"""One rollout in a few numbers: what the table of a report and its plots are made of.

A run of gigabytes is summarised in bounded memory: what the environment's plugin says of a rollout
is asked while its whole trace is there, and kept beside what is left of the trace, which
`inward.summary` and `inward.trainability` read. `Kept.plugin` answers from what was kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import verifiers.v1 as vf

from inward import causes
from inward.eval_plugin import EvalPlugin, question
from inward.measured import layer_entropies
from inward.report.reading import Place, advantage_of
from inward.report.spool import Spooled
from inward.runs import Rollout
from inward.terminal import clipped
from inward.trainability import group_of

SNIPPET = 90
"""Characters of a reply in the table."""
MAX_KEPT = 500
"""Characters of a field of a task that the lines below a table may still read."""
MAX_NAMES = 60
"""Rewards and metrics with a column in the table; more are in each rollout."""


@dataclass(slots=True)
class Row:
    """One rollout of the table."""

    id: str
    place: Place
    trace_index: int | None
    """None for an episode without a trace."""
    section: int
    environment: str
    """Its id."""
    task: str
    group: str
    """What shares it is compared: a task, an episode that plays a group itself, or a group that a
    trainer named."""
    cluster: Hashable
    """What intervals take as independent."""
    key: Hashable
    """Of the task: rollouts of two runs with the same one are paired."""
    position: float
    """Of the task in its taskset; infinite where it has none."""
    agent: str
    trainable: bool
    status: str
    """`scored`, `failed` (an error, and no score) or `unfinished`."""
    flags: tuple[str, ...]
    """Of `truncated`, `timed out`, `no call` (a tool was offered), `no answer`; in a training
    `trained on` or `not trained on`."""
    stop: str
    reward: float | None
    right: float | None
    """The headline figure of the environment."""
    turns: int
    calls: int
    """Tool calls."""
    tokens_in: int | None
    tokens_out: int | None
    seconds: float | None
    reply: str
    cause: str
    """Why it failed."""
    answer: str | None
    """As the environment reads it."""
    reference: str | None
    start: float
    advantage: float | None = None
    """As a trainer recorded it, beside the rollout or with the batch that it was trained on in."""
    text: Spooled | None = None
    """What the page shows of it, where that is at hand."""
    outcome: str = ""
    """Of `inward.taxonomy`."""
    values: dict[str, float] = field(default_factory=dict)
    """Rewards and metrics by name."""
    layers: tuple[tuple[int, ...], tuple[float, ...]] | None = None
    """Layers and the matrix entropy of each."""

    @property
    def rank(self) -> int:
        """A number that has nothing to do with what happened, and is always the same."""
        return int.from_bytes(hashlib.blake2b(self.id.encode(), digest_size=8).digest())


def row_of(
    rollout: Rollout, place: Place, index: int | None, section: int, plugin: EvalPlugin | None
) -> Row:
    episode, trace = rollout.episode, rollout.trace
    data = episode.task.data
    task = str(data.id or data.name or f"task {data.idx}")
    usage = trace.usage if trace else None
    found = group_of(rollout)
    return Row(
        id=trace.id if trace else episode.id,
        place=place,
        trace_index=index,
        section=section,
        environment=episode.env.id,
        task=clipped(task, 200),
        group=" ".join(map(str, found)) if isinstance(found, tuple) else str(found),
        cluster=plugin.cluster(trace) if plugin and trace else task,
        key=question(trace) if trace else None,
        position=math.inf if data.idx is None else data.idx,
        agent=trace.agent.name if trace else "",
        trainable=bool(trace and trace.agent.trainable),
        status="scored" if rollout.ok else "failed" if rollout.errors else "unfinished",
        flags=_flags(rollout, plugin),
        stop=(trace.stop_condition or "") if trace else "",
        reward=trace.reward if trace and rollout.ok else None,
        right=_headline(trace, plugin) if trace and rollout.ok else None,
        turns=trace.num_turns if trace else 0,
        calls=sum(len(m.tool_calls or ()) for m in trace.assistant_messages) if trace else 0,
        tokens_in=usage.input_tokens if usage else None,
        tokens_out=usage.completion_tokens if usage else None,
        seconds=_seconds(trace) if trace else None,
        reply=_one_line(trace.last_reply) if trace else "",
        cause="" if rollout.ok else causes.cause(rollout),
        answer=plugin.answer(trace) if plugin and plugin.answer and trace and rollout.ok else None,
        reference=plugin.reference(trace) if plugin and plugin.reference and trace else None,
        start=trace.timing.start if trace else math.inf,
        advantage=advantage_of(trace.info) if trace else None,
        values=_values(trace) if trace else {},
        layers=_layers(trace) if trace else None,
    )


def _flags(rollout: Rollout, plugin: EvalPlugin | None) -> tuple[str, ...]:
    trace = rollout.trace
    if trace is None:
        return ("timed out",) if rollout.episode.is_timeout else ()
    found = []
    if trace.is_truncated:
        found.append("truncated")
    if trace.is_timeout or rollout.episode.is_timeout:
        found.append("timed out")
    if trace.tools and not any(m.tool_calls for m in trace.assistant_messages):
        found.append("no call")
    if rollout.ok and plugin and plugin.answered and plugin.answered(trace) == 0:
        found.append("no answer")
    return tuple(found)


def _headline(trace: vf.WireTrace, plugin: EvalPlugin | None) -> float | None:
    if plugin is None or not plugin.columns:
        return None
    return _finite(plugin.columns[0][1](trace))


def _values(trace: vf.WireTrace) -> dict[str, float]:
    found = {
        f"{name} (reward)" if name in trace.metrics else name: reward.score
        for name, reward in trace.rewards.items()
        if reward is not None
    }
    found |= {name: value for name, value in trace.metrics.items() if value is not None}
    return {k: v for k, v in list(found.items())[:MAX_NAMES] if math.isfinite(v)}


def _layers(trace: vf.WireTrace) -> tuple[tuple[int, ...], tuple[float, ...]] | None:
    found = layer_entropies(trace)
    return (tuple(n for n, _ in found), tuple(v for _, v in found)) if found else None


def _seconds(trace: vf.WireTrace) -> float | None:
    end = max(trace.timing.scoring.end, trace.timing.finalize.end, trace.timing.agent.end)
    return round(end - trace.timing.start, 3) if end > trace.timing.start else None


def _one_line(text: str) -> str:
    line = " ".join(text[-4 * SNIPPET :].split())
    return line if len(line) <= SNIPPET else f"…{line[-SNIPPET:]}"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


@dataclass(frozen=True)
class _Said:
    """What a plugin said of one rollout."""

    columns: list[float | None]
    cluster: Hashable
    answered: float | None
    noise: float | None
    evidence: bool | None


class Kept:
    """What a plugin said of rollouts whose traces are no longer whole."""

    def __init__(self) -> None:
        self.asked: EvalPlugin | None = None
        """The plugin; None until an episode says which it is."""
        self._said: dict[str, _Said] = {}
        self._same: dict[Hashable, Any] = {}

    def keep(self, rollout: Rollout) -> Rollout:
        """The rollout, with what no summary reads taken out of it, and of its episode: when all
        rollouts of that have been read."""
        trace = rollout.trace
        if trace is None:
            return rollout
        asked = self.asked
        if asked is not None and rollout.ok:
            self._said[trace.id] = _Said(
                [value(trace) for _, value in asked.columns],
                asked.cluster(trace),
                asked.answered(trace) if asked.answered else None,
                asked.noise(trace) if asked.noise else None,
                asked.evidence(trace) if asked.evidence else None,
            )
        last = trace.last_reply
        trace.nodes = [self._node(node) for node in trace.nodes]
        trace.root_reply = hashlib.blake2b(last.encode("utf-8", "replace")).hexdigest()
        trace.tools = self._same.setdefault(tuple(tool.name for tool in trace.tools), trace.tools)
        trace.info = {k: v for k, v in trace.info.items() if _is_short(v)}
        return rollout

    def keep_task(self, episode: vf.WireEpisode) -> None:
        """The same for the task of an episode and of its traces, which keeps what is short."""
        for task in {id(t): t for t in (episode.task, *(t.task for t in episode.traces))}.values():
            extra = task.data.model_extra or {}
            long = {name for name, value in extra.items() if not _is_short(value)}
            without = dict.fromkeys(("prompt", "system_prompt", *long))
            # Siblings share one, where the content of their task is known to be the same.
            key = ("task", task.hash or id(task))
            task.data = self._same.setdefault(key, task.data.model_copy(update=without))

    def _node(self, node: Any) -> Any:
        """Who spoke, and which tools were called; one object for all that are equal in that."""
        calls = getattr(node.message, "tool_calls", None) or ()
        key = (
            node.parent, node.sampled, node.message.role, tuple(call.name for call in calls),
            tuple((link.node, link.type) for link in node.semantic_parents),
        )  # fmt: skip
        if key not in self._same:
            message = node.message
            message.content = ""
            if isinstance(message, vf.AssistantMessage):
                message.reasoning_content = None
                for call in message.tool_calls or ():
                    call.id = call.arguments = ""
            elif isinstance(message, vf.ToolMessage):
                message.tool_call_id = ""
            self._same[key] = node
        return self._same[key]

    @property
    def plugin(self) -> EvalPlugin | None:
        asked, said = self.asked, self._said
        if asked is None:
            return None

        def column(number: int) -> Callable[[vf.WireTrace], float | None]:
            return lambda trace: said[trace.id].columns[number]

        return dataclasses.replace(
            asked,
            columns=[(label, column(n)) for n, (label, _) in enumerate(asked.columns)],
            cluster=lambda trace: said[trace.id].cluster,
            answered=(lambda trace: said[trace.id].answered) if asked.answered else None,
            noise=(lambda trace: said[trace.id].noise) if asked.noise else None,
            evidence=(lambda trace: said[trace.id].evidence) if asked.evidence else None,
        )


def _is_short(value: Any) -> bool:
    """Whether it is of about `MAX_KEPT` characters at most; stops where it is more."""
    left = MAX_KEPT
    rest = [value]
    while rest and left > 0:
        one = rest.pop()
        if isinstance(one, dict):
            rest += [*one, *one.values()] if len(one) <= left else []
            left -= len(one)
        elif isinstance(one, list):
            rest += one if len(one) <= left else []
            left -= len(one)
        else:
            left -= len(one) if isinstance(one, str) else 4
    return left > 0
