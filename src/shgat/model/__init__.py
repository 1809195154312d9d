"""The model: parameters, message passing, readout, and the index that answers requests."""

from .params import Layout, Params
from .ranking import Explanation, RankedSet, Ranking
from .why_not import Carrier, WhyNot, why_not

__all__ = ["Carrier", "Explanation", "Layout", "Params", "RankedSet", "Ranking", "WhyNot", "why_not"]
