"""The family of charts as papers have them."""

from inward_charts.kinds.paper.bars import bars_hatched, bars_signed
from inward_charts.kinds.paper.curves import (
    curve_annotated,
    curves_bands,
    curves_log,
    curves_signed,
)
from inward_charts.kinds.paper.points import scatter_dense, strip
from inward_charts.kinds.paper.sheets import panels

__all__ = [
    "bars_hatched",
    "bars_signed",
    "curve_annotated",
    "curves_bands",
    "curves_log",
    "curves_signed",
    "panels",
    "scatter_dense",
    "strip",
]
