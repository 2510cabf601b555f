"""A proposer invents charts, a solver copies them; the proposer is paid for what goes wrong."""

from inward_chat import InwardChat

from chart_adversary.env import ChartAdversaryEnv
from chart_adversary.taskset import ChartAdversaryTaskset

__all__ = ["ChartAdversaryEnv", "ChartAdversaryTaskset", "InwardChat"]
