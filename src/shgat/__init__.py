"""SuperHyperGraph Attention: rank the right tools for an intent, and learn the ranking from what worked."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import _openblas as _openblas  # first: the kernels need OpenBLAS at hand
from .config import SHGATConfig, adaptive_heads
from .errors import (
    CatalogError,
    InputError,
    MissingExtraError,
    ModelFileError,
    ShgatError,
    StoreError,
    TraceError,
    WorkerError,
)
from .graph import Capability, Catalog, Tool
from .model import SHGAT, Explanation, Params, RankedSet, Ranking

if TYPE_CHECKING:
    from .training import Traces, TrainingConfig, TrainReport, load_traces

__version__ = "0.1.0"
__all__ = [
    "SHGAT",
    "Capability",
    "Catalog",
    "CatalogError",
    "Explanation",
    "InputError",
    "MissingExtraError",
    "ModelFileError",
    "Params",
    "RankedSet",
    "Ranking",
    "SHGATConfig",
    "ShgatError",
    "StoreError",
    "Tool",
    "TraceError",
    "Traces",
    "TrainReport",
    "TrainingConfig",
    "WorkerError",
    "adaptive_heads",
    "load_traces",
]
_OF_TRAINING = ("TrainReport", "Traces", "TrainingConfig", "load_traces")


def __getattr__(name: str) -> Any:
    """Training is imported when it is asked for: who only ranks need not wait for it."""
    if name not in _OF_TRAINING:
        raise AttributeError(f"module 'shgat' has no attribute {name!r}")
    return getattr(import_module(".training", __name__), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
