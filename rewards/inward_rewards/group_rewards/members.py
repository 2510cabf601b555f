"""The rollouts of a group as a reward sees them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import verifiers.v1 as vf

from inward_rewards.any_taskset import GateConfig
from inward_rewards.any_taskset.play import INDEX
from inward_rewards.formats import ThinkAnswer, last_reply
from inward_rewards.group_rewards.config import GroupRewardConfig
from inward_rewards.hidden_states import (
    CompletionScore,
    HiddenStatesError,
    Policy,
    SpanSource,
    UnmeasurableError,
    boundary,
    last_spoken,
)

AnyTrace = vf.Trace[Any, Any, Any]

# verifiers shows the records of its own loggers only.
logger = logging.getLogger("verifiers.v1.inward_rewards")


@dataclass(frozen=True)
class Member:
    """One rollout. It ended without an error."""

    index: int
    """Which of its group, by the order of their starts."""
    reply: ThinkAnswer | None
    """None: the policy never spoke."""
    text: str
    """Of the last reply, thinking and all."""
    score: float | None = None
    """The gate reward's, before its weight; None: nobody judged it, or no reward is the gate."""
    right: bool | None = None
    measured: CompletionScore | None = None
    """None: the reward asks for no measure, or the rollout cannot be read."""
    tokens: int = 0
    """Of the last completion, where the reward asks for a measure."""
    boundary: int | None = None
    """First token behind the thinking, where the reward asks for it; None: it never ended."""


@dataclass(frozen=True)
class Group:
    task: str
    """Its key: the same for the same task in any run."""
    members: tuple[Member, ...]
    config: GroupRewardConfig


async def members_of(
    traces: Sequence[AnyTrace],
    gate: GateConfig | None,
    config: GroupRewardConfig,
    *,
    measures: tuple[str, ...] = (),
    phases: bool = False,
    source: SpanSource | None = None,
) -> tuple[Member, ...]:
    """Of traces in the order of their starts, measured at once.

    `gate` None: nobody judges. `phases`: where the thinking ends is wanted too. HiddenStatesError:
    a rollout could not be measured, and that is no rollout's doing.
    """
    mark = config.pear.mark if phases else None
    readings = await asyncio.gather(*(_read(trace, source, measures, mark) for trace in traces))
    found = []
    for trace, reading in zip(traces, readings, strict=True):
        score = None if gate is None else gate.gate_score(trace)
        messages = trace.assistant_messages
        last = messages[-1] if messages else None
        found.append(
            Member(
                index=trace.info[INDEX],
                reply=last_reply(messages),
                text=f"{last.reasoning_content or ''}{last.content or ''}" if last else "",
                score=score,
                right=None if gate is None else gate.reached(score),
                measured=reading.score,
                tokens=reading.tokens,
                boundary=reading.boundary,
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class _Reading:
    score: CompletionScore | None = None
    tokens: int = 0
    boundary: int | None = None


async def _read(
    trace: AnyTrace, source: SpanSource | None, measures: tuple[str, ...], mark: str | None
) -> _Reading:
    if not measures:
        return _Reading()
    if source is None:
        raise HiddenStatesError("this reward needs measures, and no source of them is open")
    completion, policy = last_spoken(trace), Policy.of(trace)
    if completion is None:
        return _Reading()
    tokens = len(completion.completion_ids)
    try:
        score = await source.score_completion(completion, measures, policy)
    except UnmeasurableError as reason:
        # Its length is the policy's doing, and must not pay.
        logger.warning("a rollout cannot be measured for its group reward: %s", reason)
        return _Reading(tokens=tokens)
    if mark is None:
        return _Reading(score, tokens)
    ids = completion.completion_ids[: score.span.rows]
    return _Reading(
        score, tokens, await boundary(lambda part: source.decode(part, policy), ids, mark)
    )
