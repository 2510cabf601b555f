"""A figure drawn by matplotlib, so that a policy does not learn one renderer's pixels.

It uses matplotlib's object interface and no global state: safe in threads, same bytes each time.
"""

from inward_charts.mpl.canvas import draw, matplotlib_png

__all__ = ["draw", "matplotlib_png"]
