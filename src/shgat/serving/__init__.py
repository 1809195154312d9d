"""Answering requests, and learning from what happened then."""

from ..learning.principals import Principals
from ..learning.receipt import Receipt
from .answer import Answer
from .exploration import Exploration
from .ranker import Ranker
from .rules import Rules
from .service import InferenceService
from .upkeep import Change

__all__ = ["Answer", "Change", "Exploration", "InferenceService", "Principals", "Ranker", "Receipt", "Rules"]
