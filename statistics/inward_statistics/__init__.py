"""Statistics of runs: intervals that resample what is independent, pairs, and scores at k."""

from inward_statistics.at_k import maj_at_k, pass_at_k
from inward_statistics.intervals import Mean, clustered_mean
from inward_statistics.pairs import mcnemar, paired_difference

__all__ = ["Mean", "clustered_mean", "maj_at_k", "mcnemar", "paired_difference", "pass_at_k"]
