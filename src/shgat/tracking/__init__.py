"""Runs of experiments: what was tried, with which parameters, and what came of it; in a folder, in MLflow, or for Weights & Biases."""

from .comparison import RunComparison, compare, per_trace
from .contract import Tracker
from .folder import FolderTracker
from .opened import open_tracker
from .recorder import Recorder
from .run import Experiment, Point, Run

__all__ = [
    "Experiment",
    "FolderTracker",
    "Point",
    "Recorder",
    "Run",
    "RunComparison",
    "Tracker",
    "compare",
    "open_tracker",
    "per_trace",
]
