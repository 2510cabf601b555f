"""Charts as rewards: a sandboxed Vega-Lite renderer and exact measures of what it drew."""
