"""Statistics of runs: intervals by clusters, pairs, scores at k, and the signals of a training."""

from inward_statistics.at_k import expected_best, maj_at_k, pass_at_k
from inward_statistics.intervals import Mean, clustered_mean
from inward_statistics.pairs import mcnemar, paired_difference
from inward_statistics.training import (
    EntropyLaw,
    Mismatch,
    answer_entropy,
    correlation,
    covariance_of_sums,
    fit_entropy_law,
    log_probability_covariance,
    mismatch,
    variance_shares,
    window_means,
)

__all__ = [
    "EntropyLaw",
    "Mean",
    "Mismatch",
    "answer_entropy",
    "clustered_mean",
    "correlation",
    "covariance_of_sums",
    "expected_best",
    "fit_entropy_law",
    "log_probability_covariance",
    "maj_at_k",
    "mcnemar",
    "mismatch",
    "paired_difference",
    "pass_at_k",
    "variance_shares",
    "window_means",
]
