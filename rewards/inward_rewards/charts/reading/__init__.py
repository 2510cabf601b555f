"""What a drawn chart shows: its visible items, texts, marks and table as drawn."""

from inward_rewards.charts.reading.names import meaning, plain
from inward_rewards.charts.reading.plan import Plan, each, instrument
from inward_rewards.charts.reading.read import read
from inward_rewards.charts.reading.scene import Key, Rendered, Row, Scene, unique_rows
from inward_rewards.charts.reading.svg import elements
from inward_rewards.charts.reading.visibility import find_visible, pixels

__all__ = [
    "Key",
    "Plan",
    "Rendered",
    "Row",
    "Scene",
    "each",
    "elements",
    "find_visible",
    "instrument",
    "meaning",
    "pixels",
    "plain",
    "read",
    "unique_rows",
]
