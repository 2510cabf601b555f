"""Plain English about a chart, read by rules and drawn: no model, no network."""

from inward_rewards.images.plain.chart import PlainChart
from inward_rewards.images.plain.reader import read
from inward_rewards.images.plain.text import without_code
from inward_rewards.images.plain.vega import specification

__all__ = ["PlainChart", "read", "specification", "without_code"]
