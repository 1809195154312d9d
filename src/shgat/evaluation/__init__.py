"""Is a ranker better, before it serves? A name loads its module on first use, so that importing the package is free."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ab_test import (
        Difference,
        Experiment,
        Guardrail,
        Guardrails,
        Verdict,
        judge,
        required_sample_size,
        two_proportion_test,
        welch_test,
    )
    from .calibration import IsotonicRegression, PlattScaling
    from .comparison import Comparison, mean_intervals, paired_bootstrap, permutation_test
    from .counterfactual import Counterfactual, DecisionLog, value_on_log
    from .findings import build_report, build_trials_report, learning_curve
    from .knowledge import known, moved
    from .measurement import Measurement, measure, measure_cosine
    from .metrics import (
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
    from .pictures import draw, draw_sheet
    from .protocols import ColdToolSplit, Split, cold_tool_split, duration, holdout, k_folds, rolling_windows
    from .report import EvaluationReport, render_report
    from .sequential import ConfidenceSequence, confidence_sequence, quantile_interval
    from .summary import Gate, Mean, MetricTest, PartSummary, compare, gate, summarize_pair
    from .trials import Recipe, Trial, Trials, run_cold_tools, run_cross_validation, run_holdout, run_temporal

__all__ = [
    "ColdToolSplit",
    "Comparison",
    "ConfidenceSequence",
    "Counterfactual",
    "DecisionLog",
    "Difference",
    "Estimate",
    "EvaluationReport",
    "Experiment",
    "Gate",
    "Guardrail",
    "Guardrails",
    "IsotonicRegression",
    "LoggedDecisions",
    "Mean",
    "Measurement",
    "MetricTest",
    "PartSummary",
    "PlattScaling",
    "Recipe",
    "Relevance",
    "ReliabilityBins",
    "Split",
    "Trial",
    "Trials",
    "Verdict",
    "brier",
    "build_report",
    "build_trials_report",
    "clipped_ips",
    "cold_tool_split",
    "compare",
    "confidence_sequence",
    "coverage",
    "direct_method",
    "doubly_robust",
    "draw",
    "draw_sheet",
    "duration",
    "effective_sample_size",
    "expected_calibration_error",
    "gate",
    "gini",
    "holdout",
    "ips",
    "judge",
    "k_folds",
    "known",
    "learning_curve",
    "mean_intervals",
    "measure",
    "measure_cosine",
    "moved",
    "paired_bootstrap",
    "per_query",
    "per_query_from_ranks",
    "permutation_test",
    "quantile_interval",
    "ranks_of_relevant",
    "reliability_bins",
    "render_report",
    "required_sample_size",
    "rolling_windows",
    "run_cold_tools",
    "run_cross_validation",
    "run_holdout",
    "run_temporal",
    "snips",
    "summarize",
    "summarize_pair",
    "switch_dr",
    "two_proportion_test",
    "value_on_log",
    "welch_test",
]

_MODULES = (
    "ab_test",
    "calibration",
    "comparison",
    "metrics",
    "off_policy",
    "protocols",
    "report",
    "sequential",
    "measurement",
    "summary",
    "knowledge",
    "trials",
    "counterfactual",
    "findings",
    "pictures",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in _MODULES:
            found = import_module(f".{module}", __name__)
            if hasattr(found, name):
                return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
