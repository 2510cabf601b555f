"""Within tinker-cookbook's own environment: its trajectory groups, advantages and training data.

Reads {"url", "block"} and writes what came out as JSON.
"""

import asyncio
import json
import sys

from inward_training import Group, RemoteRollouts, Sample
from inward_training.tinker import trajectory_groups
from sessions import refused
from tinker_cookbook.rl.data_processing import assemble_training_data, compute_advantages

asked = json.loads(sys.stdin.read())


class Given:
    """Groups that were played already."""

    weights = 0

    def __init__(self, *groups):
        self.groups = groups

    async def play(self, tasks, *, group_size):
        for group in self.groups:
            yield group


def sample(rollout, reward, mask, begin=1, agent="solver", images=()):
    n = len(mask)
    ids = range(begin + 1, begin + 1 + n)
    parts = {"rewards": {}, "metrics": {}, "images": images, "agent": agent, "stop": "done"}
    return Sample(
        prompt_ids=(begin,),
        completion_ids=tuple(ids),
        logprobs=tuple(-0.5 * on for on in mask),
        loss_mask=tuple(map(bool, mask)),
        reward=reward,
        rollout=rollout,
        truncated=False,
        weights=(0, 0),
        **parts,
    )


def grouped(*samples):
    given = Given(Group("g", "task", 0, samples, len({s.rollout for s in samples})))
    return trajectory_groups(given, [0], group_size=1, step=0)


def data_of(*samples):
    return asyncio.run(grouped(*samples))


def shown(groups):
    data, where = assemble_training_data(groups, compute_advantages(groups))
    fields = ("mask", "advantages", "logprobs")
    return [
        {
            "of": [one["group_idx"], one["traj_idx"]],
            "tokens": datum.model_input.to_ints(),
            **{field: datum.loss_fn_inputs[field].data for field in fields},
        }
        for datum, one in zip(data, where, strict=True)
    ]


async def played(tasks):
    async with RemoteRollouts(asked["url"]) as rollouts:
        return await trajectory_groups(rollouts, tasks, group_size=4, step=7)


documented: dict = {}
exec(asked["block"], documented)
groups = asyncio.run(played([0, 2, 3]))
print(
    json.dumps(
        {
            "documented": len(asyncio.run(documented["batch"](3))),
            "rewards": [group.get_total_rewards() for group in groups],
            "errors": [[e.error_type for e in group.rollout_errors] for group in groups],
            "data": shown(groups),
            # A tool's two tokens between two turns; two branches of one rollout beside another.
            "turns": shown(data_of(sample("a", 1.0, [1, 0, 0, 1, 1]))),
            "branches": shown(
                data_of(sample("a", 1.0, [1]), sample("a", 1.0, [1], 50), sample("b", 0.0, [1]))
            ),
            "seats": shown(
                data_of(
                    *(sample(f"s{n}", float(n), [1]) for n in range(2)),
                    *(sample(f"p{n}", 5.0, [1], agent="proposer") for n in range(2)),
                )
            ),
            "pictures": refused(grouped(sample("a", 1.0, [1], images=("data:,",)))),
            "lost": refused(played([4])),
        }
    )
)
