"""SuperHyperGraph Attention: rank the right tools for an intent, and learn the ranking from what worked."""

from typing import TYPE_CHECKING

from . import _lazy
from . import _openblas as _openblas  # before the first kernel: they need OpenBLAS at hand
from .config import SHGATConfig, adaptive_heads
from .errors import (
    BusyError,
    CatalogError,
    ConflictError,
    CorruptError,
    DamagedError,
    DimensionError,
    EncoderError,
    InputError,
    MissingExtraError,
    ModelFileError,
    QuotaError,
    RefusedError,
    RemoteError,
    RepositoryError,
    ShgatError,
    StoreError,
    StoreURLError,
    TraceError,
    TrackingError,
    WorkerError,
    WorkspaceError,
)
from .graph import Capability, Catalog, Tool
from .model import Explanation, ModelState, Params, RankedSet, Ranking
from .shgat import SHGAT

if TYPE_CHECKING:
    from .traces import Trace, Traces, load_traces
    from .training import TrainingConfig, TrainReport

__version__ = "0.1.0"
__all__ = [
    "SHGAT",
    "BusyError",
    "Capability",
    "Catalog",
    "CatalogError",
    "ConflictError",
    "CorruptError",
    "DamagedError",
    "DimensionError",
    "EncoderError",
    "Explanation",
    "InputError",
    "MissingExtraError",
    "ModelFileError",
    "ModelState",
    "Params",
    "QuotaError",
    "RankedSet",
    "Ranking",
    "RefusedError",
    "RemoteError",
    "RepositoryError",
    "SHGATConfig",
    "ShgatError",
    "StoreError",
    "StoreURLError",
    "Tool",
    "Trace",
    "TraceError",
    "Traces",
    "TrackingError",
    "TrainReport",
    "TrainingConfig",
    "WorkerError",
    "WorkspaceError",
    "adaptive_heads",
    "load_traces",
]

# Training is imported when it is asked for: who only ranks need not wait for it.
__getattr__, __dir__ = _lazy.names(__name__, {"traces": "Trace Traces load_traces", "training": "TrainReport TrainingConfig"})
