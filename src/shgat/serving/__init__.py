"""Answering requests, and learning from what happened then."""

from .answer import Answer
from .ranker import Ranker

__all__ = ["Answer", "Ranker"]
