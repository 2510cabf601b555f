"""Procedural charts whose specification, table and texts are known, and a user's own pictures.

chart = generate(0, seed=7, kinds=["line", "bar"], levels=[1, 2])
chart.spec, chart.table, chart.texts
png = matplotlib_png(chart.figure)
"""

from inward_charts.chart import KINDS, LEVELS, PAPER_KINDS, Chart, generate
from inward_charts.figure import Axis, Figure, Layer, Note, Record, Sheet
from inward_charts.kinds import TABLE, Kind
from inward_charts.noise import NOISES, Noise, with_noise
from inward_charts.numbers import format_number, power_of_ten
from inward_charts.pictures import (
    data_url,
    folder_pictures,
    from_data_url,
    picture_of,
    request_picture,
    shrunk,
    side_by_side,
)
from inward_charts.rows import box_numbers
from inward_charts.tracing import traced
from inward_charts.vega import vega_lite

__all__ = [
    "KINDS",
    "LEVELS",
    "NOISES",
    "PAPER_KINDS",
    "TABLE",
    "Axis",
    "Chart",
    "Figure",
    "Kind",
    "Layer",
    "Noise",
    "Note",
    "Record",
    "Sheet",
    "box_numbers",
    "data_url",
    "folder_pictures",
    "format_number",
    "from_data_url",
    "generate",
    "matplotlib_png",
    "picture_of",
    "power_of_ten",
    "request_picture",
    "shrunk",
    "side_by_side",
    "traced",
    "vega_lite",
    "with_noise",
]


def matplotlib_png(figure: Figure | Sheet) -> bytes:
    """`figure` as a PNG drawn by matplotlib: the same bytes each time, safe in threads."""
    # matplotlib takes half a second to import.
    from inward_charts import mpl

    return mpl.matplotlib_png(figure)
