"""SuperHyperGraph Attention: rank the right tools for an intent, and learn the ranking from what worked."""

from typing import TYPE_CHECKING

from . import _lazy
from . import _openblas as _openblas  # before the first kernel: they need OpenBLAS at hand
from .config import SHGATConfig, adaptive_heads
from .errors import (
    CatalogError,
    ConflictError,
    DamagedError,
    DimensionError,
    EncoderError,
    InputError,
    MissingExtraError,
    ModelFileError,
    RefusedError,
    RemoteError,
    ShgatError,
    StoreError,
    StoreURLError,
    TraceError,
    TrackingError,
    WorkerError,
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
    "Capability",
    "Catalog",
    "CatalogError",
    "ConflictError",
    "DamagedError",
    "DimensionError",
    "EncoderError",
    "Explanation",
    "InputError",
    "MissingExtraError",
    "ModelFileError",
    "ModelState",
    "Params",
    "RankedSet",
    "Ranking",
    "RefusedError",
    "RemoteError",
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
    "adaptive_heads",
    "load_traces",
]

# Training is imported when it is asked for: who only ranks need not wait for it.
__getattr__, __dir__ = _lazy.names(__name__, {"traces": "Trace Traces load_traces", "training": "TrainReport TrainingConfig"})
