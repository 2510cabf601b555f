"""From any verifiers v1 environment to the groups of samples that a trainer takes.

    async with Rollouts({"taskset": {"id": "quality-rag"}}, model, endpoint) as rollouts:
        async for group in rollouts.play(range(64), group_size=8):
            for sample, advantage in zip(group.samples, group.advantages()):
                ...  # sample.prompt_ids, .completion_ids, .logprobs, .loss_mask

`Rollouts` plays in this process (`pip install "inward-training[rollouts]"`). `RemoteRollouts` asks
`inward serve-rollouts`, which plays in another virtual environment, and needs no verifiers.
`Blocking` hands either to a trainer that is not asynchronous.
"""

from typing import TYPE_CHECKING, Any

from inward_training.blocking import Blocking
from inward_training.errors import RolloutsError
from inward_training.remote import RemoteRollouts
from inward_training.samples import Failure, Group, Sample

if TYPE_CHECKING:
    from inward_training.rollouts import Rollouts

__all__ = [
    "Blocking",
    "Failure",
    "Group",
    "RemoteRollouts",
    "Rollouts",
    "RolloutsError",
    "Sample",
]


def __getattr__(name: str) -> Any:
    if name != "Rollouts":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # verifiers takes seconds to import, and a trainer's environment need not hold it.
    from inward_training.rollouts import Rollouts

    return Rollouts
