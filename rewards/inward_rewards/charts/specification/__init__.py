"""What a specification may hold, and how it is read before any renderer sees it."""

from inward_rewards.charts.specification import limits
from inward_rewards.charts.specification.lint import lint, parse
from inward_rewards.charts.specification.rules import RULES

__all__ = ["RULES", "limits", "lint", "parse"]
