"""The model: parameters, message passing, readout, channels, and the index that answers requests."""

from .params import Layout, Params
from .ranking import Explanation, RankedSet, Ranking
from .state import ModelState
from .why_not import Carrier, WhyNot

__all__ = ["Carrier", "Explanation", "Layout", "ModelState", "Params", "RankedSet", "Ranking", "WhyNot"]
