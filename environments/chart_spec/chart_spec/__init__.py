"""Look at a chart, write the Vega-Lite specification that draws it."""

from chart_spec.taskset import ChartSpecEnv, ChartSpecTaskset

__all__ = ["ChartSpecEnv", "ChartSpecTaskset"]
