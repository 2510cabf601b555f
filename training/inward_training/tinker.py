"""Rollouts of any verifiers v1 environment as tinker-cookbook's training data (0.6).

    async with RemoteRollouts("http://127.0.0.1:8765") as rollouts:
        groups = await trajectory_groups(rollouts, range(64), group_size=8, step=step)
    data, _ = assemble_training_data(groups, compute_advantages(groups))

for a loop of one's own over a `tinker.TrainingClient`. The rollouts are played over an engine that
serves `POST /inference/v1/generate` and has the weights of that step. Tinker's own service is no
such engine, so that the cookbook's `rl.train`, which samples from it, is not served here.

Several branches of a rollout stay one trajectory, of which the cookbook makes a datum each. A
failed rollout is left out and stands in `rollout_errors`. Pictures are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

try:
    import tinker
    from tinker_cookbook.completers import TokensWithLogprobs
    from tinker_cookbook.rl.types import RolloutError, Trajectory, TrajectoryGroup, Transition
except ModuleNotFoundError as error:
    raise ImportError(
        f"inward_training.tinker needs {error.name}:"
        ' pip install "tinker-cookbook>=0.6" inward-training'
    ) from error

from inward_training.blocking import Player, in_order
from inward_training.errors import RolloutsError
from inward_training.samples import Group, Sample
from inward_training.sequences import refuse_pictures, turns


async def trajectory_groups(
    rollouts: Player, tasks: Iterable[int], *, group_size: int, step: int
) -> list[TrajectoryGroup]:
    """The groups of these tasks, in their order, as `compute_advantages` takes them.

    Rollouts that are compared are a group: where an environment has several seats, each seat's, as
    `Group.advantages` does. What is left without a rollout is left out.

    Args:
        rollouts: `Rollouts` or `RemoteRollouts`, entered.
        tasks: positions in the taskset.
        group_size: episodes per task; 1 where the environment plays the group itself.
        step: of the training: the version of the weights that the engine serves.

    Raises:
        RolloutsError: no rollout is left, or they show pictures.
    """
    rollouts.weights = step
    played = await in_order(rollouts, list(tasks), group_size=group_size)
    found = [one for group in played for one in _compared(group)]
    if played and not found:
        causes = {f"{f.cause}: {f.message}" for group in played for f in group.failures}
        raise RolloutsError(f"all rollouts failed: {'; '.join(sorted(causes))}")
    return found


def _compared(group: Group) -> list[TrajectoryGroup]:
    refuse_pictures(group, "tinker-cookbook's adapter")
    # By what they are compared with, then by rollout: the branches of one share its reward.
    parts: dict[tuple[str, str], dict[str, list[Sample]]] = {}
    for sample in group.samples:
        rollout = parts.setdefault(group.compared(sample), {})
        rollout.setdefault(sample.rollout, []).append(sample)
    # Counted once, whichever part they would have been of.
    errors = [RolloutError(failure.cause, failure.message) for failure in group.failures]
    found = []
    for part in parts.values():
        firsts = [branches[0] for branches in part.values()]
        found.append(
            TrajectoryGroup(
                [_trajectory(branches) for branches in part.values()],
                [sample.reward for sample in firsts],
                [dict(sample.metrics) for sample in firsts],
                errors,
            )
        )
        errors = []
    return found


def _trajectory(branches: Sequence[Sample]) -> Trajectory:
    """A transition for each stretch that the policy sampled: all before is what it observed."""
    transitions = []
    ids: list[int] = []
    for sample in branches:
        ids = [*sample.prompt_ids, *sample.completion_ids]
        for first, end in turns(sample):
            action = TokensWithLogprobs(
                tokens=list(sample.completion_ids[first:end]),
                maybe_logprobs=list(sample.logprobs[first:end]),
            )
            seen = tinker.ModelInput.from_ints(ids[: len(sample.prompt_ids) + first])
            transitions.append(Transition(ob=seen, ac=action, reward=0.0, episode_done=False))
    transitions[-1].episode_done = True
    return Trajectory(transitions, tinker.ModelInput.from_ints(ids), branches[-1].stop)
