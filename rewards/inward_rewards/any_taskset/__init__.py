"""What an environment over any taskset shares: the group, the gate by one of the taskset's own
rewards, and what makes `vf-replay` pay the same again. Needs verifiers.
"""

from inward_rewards.any_taskset.gate import GateConfig
from inward_rewards.any_taskset.names import reward_names
from inward_rewards.any_taskset.play import (
    INDEX,
    GroupEnv,
    GroupEnvConfig,
    keeping_token_ids,
    mixed,
)
from inward_rewards.any_taskset.replay import plug_in, weight_of

__all__ = [
    "INDEX",
    "GateConfig",
    "GroupEnv",
    "GroupEnvConfig",
    "keeping_token_ids",
    "mixed",
    "plug_in",
    "reward_names",
    "weight_of",
]
