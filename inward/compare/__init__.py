"""Two runs, paired by task."""
