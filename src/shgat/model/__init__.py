"""The model: parameters, message passing, readout, and the index that answers requests."""

from .params import Layout, Params
from .ranking import Explanation, RankedSet, Ranking
from .shgat import SHGAT

__all__ = ["SHGAT", "Explanation", "Layout", "Params", "RankedSet", "Ranking"]
