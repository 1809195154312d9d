"""Figures: of rankings, of probabilities, of differences, of logs; how rows are split; and the one gate. NumPy in, numbers out."""

from .calibration import IsotonicRegression, PlattScaling
from .off_policy import (
    Estimate,
    LoggedDecisions,
    clipped_ips,
    direct_method,
    doubly_robust,
    effective_sample_size,
    ips,
    snips,
    switch_dr,
)
from .ranking import (
    Relevance,
    ReliabilityBins,
    brier,
    coverage,
    expected_calibration_error,
    gini,
    per_query,
    per_query_from_ranks,
    ranks_of_relevant,
    reliability_bins,
    summarize,
)
from .resampling import PairedTest, mean_intervals, paired_bootstrap, permutation_test
from .sequential import ConfidenceSequence, confidence_sequence, quantile_interval
from .splits import ColdToolSplit, Split, cold_tool_split, duration, holdout, k_folds, rolling_windows

__all__ = [
    "ColdToolSplit", "ConfidenceSequence", "Estimate", "IsotonicRegression", "LoggedDecisions", "PairedTest", "PlattScaling",
    "Relevance", "ReliabilityBins", "Split", "brier", "clipped_ips", "cold_tool_split", "confidence_sequence", "coverage",
    "direct_method", "doubly_robust", "duration", "effective_sample_size", "expected_calibration_error", "gini", "holdout", "ips",
    "k_folds", "mean_intervals", "paired_bootstrap", "per_query", "per_query_from_ranks", "permutation_test", "quantile_interval",
    "ranks_of_relevant", "reliability_bins", "rolling_windows", "snips", "summarize", "switch_dr",
]  # fmt: skip
