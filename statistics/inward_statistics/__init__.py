"""Statistics of runs: intervals by clusters, pairs, scores at k, and the signals of a training."""

from inward_statistics.at_k import expected_best, maj_at_k, pass_at_k
from inward_statistics.contamination import (
    area_interval,
    area_under_curve,
    min_k_prob,
    recall_ratio,
    self_critique,
)
from inward_statistics.intervals import Mean, clustered_mean, clustered_mean_of_any
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
    "area_interval",
    "area_under_curve",
    "clustered_mean",
    "clustered_mean_of_any",
    "correlation",
    "covariance_of_sums",
    "expected_best",
    "fit_entropy_law",
    "log_probability_covariance",
    "maj_at_k",
    "mcnemar",
    "min_k_prob",
    "mismatch",
    "paired_difference",
    "pass_at_k",
    "recall_ratio",
    "self_critique",
    "variance_shares",
    "window_means",
]
