"""Statistics of runs: intervals that resample what is independent."""

from inward_statistics.intervals import Mean, clustered_mean

__all__ = ["Mean", "clustered_mean"]
