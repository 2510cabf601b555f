"""Figures as Vega-Lite specifications."""

from inward_charts.vega.notes import REGION
from inward_charts.vega.spec import HOLE, LARGEST_BUBBLE, vega_lite

__all__ = ["HOLE", "LARGEST_BUBBLE", "REGION", "vega_lite"]
