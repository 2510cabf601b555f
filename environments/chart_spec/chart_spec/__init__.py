"""Look at a chart, write the Vega-Lite specification that draws it."""

from inward_chat import InwardChat

from chart_spec.taskset import ChartSpecEnv, ChartSpecTaskset

# The harness too: any other environment (`--env.id best-of-n`) then plays these tasks with it,
# where verifiers would put a shell.
__all__ = ["ChartSpecEnv", "ChartSpecTaskset", "InwardChat"]
