"""Is a ranker better, before it serves? A name loads its module on first use, so that importing the package is free."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .comparison import Comparison, paired_bootstrap, permutation_test
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

__all__ = [
    "Comparison",
    "Relevance",
    "ReliabilityBins",
    "brier",
    "coverage",
    "expected_calibration_error",
    "gini",
    "paired_bootstrap",
    "per_query",
    "per_query_from_ranks",
    "permutation_test",
    "ranks_of_relevant",
    "reliability_bins",
    "summarize",
]

_MODULES = ("metrics", "comparison")


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in _MODULES:
            found = import_module(f".{module}", __name__)
            if hasattr(found, name):
                return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
