"""What an environment adds to `inward eval` and `inward show`: one `EvalPlugin`, named by an entry
point `inward.envs` whose name is the environment's id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import verifiers.v1 as vf

GROUP = "inward.envs"

Policy = Callable[[dict[str, Any]], Mapping[str, Any]]
"""Chat-completions request body -> the assistant's message."""
Value = Callable[["vf.WireTrace"], float | None]
"""Of a trace; None where the trace is not of that subset."""
Column = tuple[str, Value]


def question(trace: vf.WireTrace) -> Hashable:
    """Rollouts of one question are never independent."""
    return trace.task.key or trace.task.data.id or trace.task.data.idx


def metric(name: str) -> Value:
    """The metric of that name."""
    return lambda trace: trace.metrics.get(name)


def reward(name: str, where: Callable[[vf.WireTrace], bool] | None = None) -> Value:
    """The score of the reward of that name, of the rollouts of a subset."""

    def value(trace: vf.WireTrace) -> float | None:
        found = trace.rewards.get(name)
        return None if found is None or (where and not where(trace)) else found.score

    return value


def task_field(trace: vf.WireTrace, name: str) -> Any:
    """A field that the environment's own task data has; None where it has none."""
    return (trace.task.data.model_extra or {}).get(name)


@dataclass(frozen=True)
class Spans:
    """Parts of something long that a rollout touched, such as the passages of a story."""

    title: str
    length: float
    unit: str
    spans: Sequence[tuple[float, float, str]]
    """Start, end and what to say of it; in `unit`."""


@dataclass(frozen=True)
class Grid:
    """A table of texts."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: Sequence[int] = ()
    """Rows that stand out, from 0: what differs, or this rollout among its siblings."""


Panel = Spans | Grid


def no_notes(traces: Sequence[vf.WireTrace]) -> list[str]:
    return []


@dataclass(frozen=True)
class Floors:
    """What `inward eval --floors` needs, to score replies that did not do the task."""

    score: Callable[[Any, str], Awaitable[float]]
    """The environment's task, and a reply to it -> the headline's reward."""
    replies: Mapping[str, str] = field(default_factory=dict)
    """Label -> a reply that is the same to every task, beside the empty one."""
    reseeded: Callable[[Any, int], Any] | None = None
    """The task with another seed of its reward's own chance; None, or a task of None: its reward
    has none."""


@dataclass(frozen=True)
class EvalPlugin:
    """Baselines of one environment, and what its runs are summarised and shown by."""

    baselines: Mapping[str, Callable[[int], Policy]]
    """Name -> seed -> policy; the first is the default."""
    columns: Sequence[Column]
    """Label and value of each figure; the headline first."""
    default_args: Sequence[str] = ()
    """Long options and their values, for a run without a model: they hold unless the user sets
    the same, or names a file of data."""
    chance: float | None = None
    """What guessing scores in the first column."""
    published: Mapping[str, float] = field(default_factory=dict)
    """What baselines and floors earned in the first column where they were measured, from the
    environment's README: who, and on what, -> mean."""
    cluster: Callable[[vf.WireTrace], Hashable] = question
    """What the intervals take as independent: the widest thing that questions share."""
    answered: Value | None = None
    """1 where the reply held an answer in the format that the prompt asks for."""
    notes: Callable[[Sequence[vf.WireTrace]], list[str]] = no_notes
    """Lines below the table."""
    noise: Value | None = None
    """How far the measurement alone may move the reward of a rollout, in either direction."""
    answer: Callable[[vf.WireTrace], str | None] | None = None
    """The answer that the reply gave, equal for replies that mean the same; None where it gave
    none."""
    reference: Callable[[vf.WireTrace], str | None] | None = None
    """The reference answer of the task."""
    evidence: Callable[[vf.WireTrace], bool | None] | None = None
    """Whether what the answer needs was among what tools showed the policy; None: not known."""
    floors: Floors | None = None
    """What `--floors` measures; None: the environment offers none."""
    drawing: Callable[[vf.WireTrace], bytes | None] | None = None
    """The PNG that the reply of a rollout draws, for `inward show --sheet`; None where it draws
    nothing."""
    panels: Callable[[vf.WireTrace], Sequence[Panel]] | None = None
    """What `inward report` shows of one rollout beside its messages."""

    def defaults(self) -> dict[str, Any]:
        """`default_args` as the nested config that they stand for."""
        nested: dict[str, Any] = {}
        for flag, value in zip(self.default_args[::2], self.default_args[1::2], strict=True):
            *groups, name = flag.removeprefix("--").replace("-", "_").split(".")
            node = nested
            for group in groups:
                node = node.setdefault(group, {})
            node[name] = value
        return nested


def nobody_answered(plugin: EvalPlugin | None, traces: Sequence[vf.WireTrace]) -> bool:
    """Whether, of the rollouts that the environment says so much of, none gave an answer."""
    if plugin is None or plugin.answered is None:
        return False
    said = [value for trace in traces if (value := plugin.answered(trace)) is not None]
    return bool(said) and not any(said)


def installed() -> dict[str, EntryPoint]:
    """Environment id -> entry point."""
    return {point.name: point for point in entry_points(group=GROUP)}


def find(env_id: str) -> EvalPlugin | None:
    """The eval plugin of an environment, by the id that `vf-eval` takes; None where it has none."""
    # Of a taskset that another environment plays, `ENV+TASKSET`, it is the taskset's.
    taskset = env_id.rsplit("+", 1)[-1]
    name = taskset.rsplit("/", 1)[-1].split("@", 1)[0].replace("_", "-").lower()
    point = installed().get(name)
    if point is None:
        return None
    plugin = point.load()
    if not isinstance(plugin, EvalPlugin):
        raise TypeError(f"entry point {GROUP} {name!r}: {point.value} is no EvalPlugin")
    return plugin
