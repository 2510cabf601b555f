"""Episodes of verifiers as groups of samples."""

from __future__ import annotations

import math
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import verifiers.v1 as vf

from inward_training.errors import RolloutsError
from inward_training.samples import Failure, Group, Sample

AnyTask = vf.Task[Any, Any, Any]
AnyEpisode = vf.Episode[Any, Any, Any]
Played = tuple[AnyEpisode | Failure, tuple[int, int]]
"""An episode, or why the env server has none, and the versions of the weights at its beginning and
its end."""


def as_group(
    task: AnyTask, index: int, played: Sequence[Played], complete: Callable[[AnyEpisode], bool]
) -> Group:
    """The group of a task's episodes.

    `complete` is the environment's own verdict (`Env.complete`). An episode that is not complete is
    left out whole and counted: what its traces hold may not have been scored. So is a rollout whose
    reward, metrics or logprobs are not finite.

    Raises:
        RolloutsError: rollouts without token ids; several episodes of an environment that plays a
            whole group in each.
    """
    samples: list[Sample] = []
    failures: list[Failure] = []
    repeated: set[str] = set()
    planned = 0
    for episode, weights in played:
        if isinstance(episode, Failure):
            failures.append(episode)
            planned += 1
            continue
        traces = [t for t in episode.traces if t.agent.trainable]
        if not complete(episode):
            failures.append(failure(episode))
            planned += 1
            continue
        planned += len(traces)
        # Also of those that are lost below: how a seat is compared does not hang on them.
        plays = Counter(trace.agent.name for trace in traces)
        repeated |= {seat for seat, count in plays.items() if count > 1}
        _refuse_nested_groups(episode.traces, len(played))
        for trace in traces:
            found = failed(trace) or _samples(trace, weights, episode.id)
            if isinstance(found, Failure):
                failures.append(found)
            else:
                samples += found
    return Group(
        uuid.uuid4().hex,
        str(task.key),
        index,
        tuple(samples),
        planned,
        tuple(failures),
        tuple(sorted(repeated)),
    )


def _refuse_nested_groups(traces: Sequence[Any], episodes: int) -> None:
    seats = [trace.agent.name for trace in traces]
    repeated = max(map(seats.count, seats), default=0)
    # A second seat plays for its own sake: solvers of a proposal, of which a group has several.
    if len(set(seats)) == 1 and repeated > 1 and episodes > 1:
        raise RolloutsError(
            f"the environment plays {repeated} rollouts in each episode and compares them itself:"
            f" play it with group_size=1 (got {episodes})"
        )


def failed(trace: Any) -> Failure | None:
    """Why a rollout of a complete episode is no sample, if it is none."""
    if not trace.ok:
        return failure(trace)
    if not math.isfinite(trace.reward):
        named = ", ".join(f"{k}={r.score}" for k, r in trace.rewards.items() if r is not None)
        return Failure("NonFiniteReward", f"the reward is {trace.reward}: {named}")
    for name, value in trace.metrics.items():
        if value is not None and not math.isfinite(value):
            return Failure("NonFiniteMetric", f"the metric {name} is {value}")
    return None


def failure(of: Any) -> Failure:
    """The last error of an episode or a trace; an episode's may stand on one of its traces."""
    errors = [*of.errors, *(e for t in getattr(of, "traces", ()) if not t.ok for e in t.errors)]
    if not errors:
        return Failure("Unknown", "not completed, and no error was recorded")
    return Failure(errors[-1].type, errors[-1].message)


def _samples(trace: Any, weights: tuple[int, int], episode: str) -> list[Sample] | Failure:
    rewards = {name: r.value for name, r in trace.rewards.items() if r is not None}
    metrics = {name: value for name, value in trace.metrics.items() if value is not None}
    samples = []
    for branch in trace.branches:
        mask = branch.sampled_mask
        if not branch.trainable or not any(mask):
            continue
        first = mask.index(True)
        ids, logprobs = branch.token_ids, branch.logprobs
        if not all(map(math.isfinite, logprobs[first:])):
            return Failure("NonFiniteLogprob", "the engine gave a logprob that is not finite")
        samples.append(
            Sample(
                prompt_ids=tuple(ids[:first]),
                completion_ids=tuple(ids[first:]),
                logprobs=tuple(logprobs[first:]),
                loss_mask=tuple(mask[first:]),
                reward=trace.reward,
                rewards=rewards,
                metrics=metrics,
                rollout=trace.id,
                agent=trace.agent.name,
                images=tuple(_images(branch.messages)),
                stop=trace.stop_condition or "",
                truncated=trace.is_truncated,
                weights=weights,
                episode=episode,
            )
        )
    if samples:
        return samples
    if not any(call.error is None for call in trace.calls) or any(n.token_ids for n in trace.nodes):
        return Failure("NoToken", "the policy sampled no token")
    raise RolloutsError(
        "the engine returned no token ids: rollouts to train on need one that serves"
        " POST /inference/v1/generate (vLLM from 0.30 with --enable-scale-out)"
    )


def _images(messages: Sequence[Any]) -> list[str]:
    urls = []
    for message in messages:
        content = getattr(message, "content", None)
        for part in content if isinstance(content, list) else ():
            if getattr(part, "type", None) == "image_url":
                urls.append(str(part.image_url.url))
    return urls
