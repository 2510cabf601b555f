"""Statistics of runs: intervals by clusters, pairs, and scores at k."""

from inward_statistics.at_k import expected_best, maj_at_k, pass_at_k
from inward_statistics.intervals import Mean, clustered_mean
from inward_statistics.pairs import mcnemar, paired_difference

__all__ = [
    "Mean",
    "clustered_mean",
    "expected_best",
    "maj_at_k",
    "mcnemar",
    "paired_difference",
    "pass_at_k",
]
