"""SuperHyperGraph Attention: rank the right tools for an intent, and learn the ranking from what worked."""

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
