"""Charts to be written as Vega-Lite specifications, and the generator that makes them."""
