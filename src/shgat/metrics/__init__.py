"""Figures: of rankings, of probabilities, of differences, of logs; how rows are split; and the one gate. Arrays in, numbers out."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .calibration import (
        IsotonicRegression,
        PlattScaling,
        ReliabilityBins,
        brier,
        expected_calibration_error,
        reliability_bins,
    )
    from .gate import Comparison, Verdict
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
    from .off_policy_sessions import LoggedSessions, sequential_doubly_robust
    from .ranking import coverage, criterion, gini, per_query, per_query_from_ranks, ranks_of_relevant, summarize
    from .resampling import PairedTest, clustered_intervals, mean_intervals, paired_bootstrap, permutation_test
    from .sequential import ConfidenceSequence, confidence_sequence, quantile_interval
    from .splits import ColdToolSplit, Split, cold_tool_split, duration, holdout, k_folds, rolling_windows, session_split

__all__ = [
    "ColdToolSplit", "Comparison", "ConfidenceSequence", "Estimate", "IsotonicRegression", "LoggedDecisions", "LoggedSessions",
    "PairedTest", "PlattScaling", "ReliabilityBins", "Split", "Verdict", "brier", "clipped_ips", "clustered_intervals", "cold_tool_split",
    "confidence_sequence", "coverage", "criterion", "direct_method", "doubly_robust", "duration", "effective_sample_size",
    "expected_calibration_error", "gini", "holdout", "ips", "k_folds", "mean_intervals", "paired_bootstrap", "per_query",
    "per_query_from_ranks", "permutation_test", "quantile_interval", "ranks_of_relevant", "reliability_bins", "rolling_windows",
    "sequential_doubly_robust", "session_split", "snips", "summarize", "switch_dr",
]  # fmt: skip

__getattr__, __dir__ = _lazy.names(__name__, {
    "calibration": "IsotonicRegression PlattScaling ReliabilityBins brier expected_calibration_error reliability_bins",
    "gate": "Comparison Verdict",
    "off_policy": "Estimate LoggedDecisions clipped_ips direct_method doubly_robust effective_sample_size ips snips switch_dr",
    "off_policy_sessions": "LoggedSessions sequential_doubly_robust",
    "ranking": "coverage criterion gini per_query per_query_from_ranks ranks_of_relevant summarize",
    "resampling": "PairedTest clustered_intervals mean_intervals paired_bootstrap permutation_test",
    "sequential": "ConfidenceSequence confidence_sequence quantile_interval",
    "splits": "ColdToolSplit Split cold_tool_split duration holdout k_folds rolling_windows session_split",
})  # fmt: skip
