"""What the arms of learn.py learn from."""

from __future__ import annotations

import random

from inward_training import Group

ARMS = ("true", "shuffled", "random")


def advantages(arm: str, seed: int, step: int, group: Group) -> list[float]:
    """Of each rollout of the group: how much its tokens weigh in the step."""
    rng = random.Random(f"{arm} {seed} {step} {group.index}")
    if arm == "random":
        rewards = [float(rng.random() < 0.5) for _ in group.samples]
        return [one - sum(rewards) / len(rewards) for one in rewards]
    found = group.advantages()
    if arm == "shuffled":
        rng.shuffle(found)
    return found
