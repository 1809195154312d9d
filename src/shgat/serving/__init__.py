"""Answering requests, and learning from what happened then."""

from ..learning.receipt import Receipt
from .answer import Answer
from .ranker import Ranker

__all__ = ["Answer", "Ranker", "Receipt"]
