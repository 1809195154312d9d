"""SuperHyperGraph Attention: rank the right tools for an intent, and learn the ranking from what worked."""

from . import _openblas as _openblas  # first: the kernels need OpenBLAS at hand
from .config import SHGATConfig, adaptive_heads

__version__ = "0.1.0"
__all__ = ["SHGATConfig", "adaptive_heads"]
