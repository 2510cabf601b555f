"""What trainers have in common that take exactly one sequence for each prompt they hand over."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from inward_training.blocking import Blocking
from inward_training.errors import RolloutsError
from inward_training.samples import Group, Sample


@dataclass(frozen=True)
class Row:
    """A sequence as such a trainer takes it; the lists of the completion are of one length."""

    prompt_ids: list[int]
    completion_ids: list[int]
    logprobs: list[float]
    mask: list[int]
    """1 for what the policy sampled, 0 for tool results and templates."""
    reward: float
    sample: Sample | None
    """None for a failed rollout."""


def rows(groups: Sequence[Group], trainer: str) -> list[Row]:
    """The sequence of each group, for a trainer that cannot leave a failed rollout out.

    A failed rollout becomes one token that is masked, with the mean reward of those rollouts of its
    task that did not fail. So nothing is learned from it, and the mean that its siblings are
    compared with is the one that they have without it.

    Raises:
        RolloutsError: all rollouts of a task failed; or what `only` refuses.
    """
    samples = [only(group, trainer) for group in groups]
    alive: dict[int, list[Sample]] = defaultdict(list)
    for group, sample in zip(groups, samples, strict=True):
        if sample is not None:
            alive[group.index].append(sample)
    return [
        _left_out(group, alive[group.index]) if sample is None else _row(sample)
        for group, sample in zip(groups, samples, strict=True)
    ]


def only(group: Group, trainer: str) -> Sample | None:
    """The one sequence of a group of one rollout; None where that failed.

    Raises:
        RolloutsError: several rollouts in the episode, several branches, or pictures.
    """
    if group.planned > 1:
        raise RolloutsError(
            f"the environment plays {group.planned} rollouts in each episode and compares them"
            f" itself, which {trainer} cannot take: use an environment of single rollouts"
        )
    if len(group.samples) > 1:
        raise RolloutsError(
            f"task {group.task}: the rollout has {len(group.samples)} branches, and {trainer}"
            " takes one sequence per rollout: name a renderer that keeps a rollout in one, such as"
            ' {"name": "qwen3"}'
        )
    if not group.samples:
        return None
    (sample,) = group.samples
    refuse_pictures(group, trainer)
    return sample


def refuse_pictures(group: Group, trainer: str) -> None:
    """Raises RolloutsError where a sample of the group shows pictures."""
    pictures = max((len(sample.images) for sample in group.samples), default=0)
    if pictures:
        raise RolloutsError(
            f"task {group.task} shows {pictures} pictures, and {trainer} is handed none: it would"
            " train on their placeholders alone"
        )


def turns(sample: Sample) -> list[tuple[int, int]]:
    """The stretches of `completion_ids` that the policy sampled: (first, one past the last)."""
    found, place = [], 0
    for sampled, stretch in groupby(sample.loss_mask):
        end = place + len(list(stretch))
        if sampled:
            found.append((place, end))
        place = end
    return found


def task_count(rollouts: Blocking, tasks: int | None) -> int:
    """How many rows a data set of the first `tasks` tasks has; all where left out.

    Raises:
        ValueError: the tasks never end and `tasks` is left out, or there are not so many.
    """
    there = rollouts.count()
    count = there if tasks is None else tasks
    if count is None:
        raise ValueError(f"{rollouts.environment!r} has tasks without end: say how many")
    if count < 1:
        raise ValueError(f"tasks must be at least 1 (got {count})")
    if there is not None and count > there:
        raise ValueError(f"{rollouts.environment!r} has {there} tasks (got {tasks})")
    return count


def as_messages(rollouts: Blocking, tasks: int | None) -> list[tuple[int, list[dict[str, str]]]]:
    """(index, a chat prompt that only names the task) of the first `tasks`, as `task_count`."""
    return [
        (index, [{"role": "user", "content": f"{rollouts.environment} task {index}"}])
        for index in range(task_count(rollouts, tasks))
    ]


def _row(sample: Sample) -> Row:
    return Row(
        list(sample.prompt_ids),
        list(sample.completion_ids),
        list(sample.logprobs),
        [int(sampled) for sampled in sample.loss_mask],
        sample.reward,
        sample,
    )


def _left_out(group: Group, alive: Sequence[Sample]) -> Row:
    if not alive:
        causes = "; ".join(f"{failure.cause}: {failure.message}" for failure in group.failures)
        raise RolloutsError(
            f"task {group.task}: all its rollouts in this batch failed, so that there is none to"
            f" take in their place: {causes or 'no cause is known'}"
        )
    rewards = [sample.reward for sample in alive]
    # Of equal rewards exactly theirs: what rounding left would count as a signal.
    mean = rewards[0] if min(rewards) == max(rewards) else math.fsum(rewards) / len(rewards)
    sibling = alive[0]
    prompt, token = list(sibling.prompt_ids), list(sibling.completion_ids[:1])
    return Row(prompt, token, list(sibling.logprobs[:1]), [0], mean, None)
