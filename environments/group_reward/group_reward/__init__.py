"""Any taskset, with a reward that compares the rollouts of one task."""

from group_reward.env import GroupRewardEnv

__all__ = ["GroupRewardEnv"]
