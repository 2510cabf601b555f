"""Rewards of a whole group, by name, for an environment over any taskset.

    config   which reward, and its settings
    methods  name -> what it needs and what it pays
    answers  what a rollout answered, and which answers say the same
    members  the rollouts of a group as a reward sees them

Needs verifiers.
"""

from inward_rewards.group_rewards.config import GroupRewardConfig, MethodName
from inward_rewards.group_rewards.members import Group, Member, members_of
from inward_rewards.group_rewards.methods import METHODS, Method, Paid

__all__ = [
    "METHODS",
    "Group",
    "GroupRewardConfig",
    "Member",
    "Method",
    "MethodName",
    "Paid",
    "members_of",
]
