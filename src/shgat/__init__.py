"""SuperHyperGraph Attention: rank the right tools for an intent, and learn the ranking from what worked."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import _openblas as _openblas  # first: the kernels need OpenBLAS at hand
from .config import SHGATConfig, adaptive_heads
from .errors import CatalogError, InputError, MissingExtraError, ModelFileError, ShgatError, StoreError, TraceError, WorkerError
from .graph import Capability, Catalog, Tool
from .model import Explanation, Params, RankedSet, Ranking
from .shgat import SHGAT

if TYPE_CHECKING:
    from .traces import Traces, load_traces
    from .training import TrainingConfig, TrainReport

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
_OF_TRAINING, _OF_TRACES = ("TrainReport", "TrainingConfig"), ("Traces", "load_traces")


def __getattr__(name: str) -> Any:
    """Training is imported when it is asked for: who only ranks need not wait for it."""
    if name not in _OF_TRAINING + _OF_TRACES:
        raise AttributeError(f"module 'shgat' has no attribute {name!r}")
    return getattr(import_module(".traces" if name in _OF_TRACES else ".training", __name__), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
