"""Training in a child process: one job in, one report out, isolated from whoever answers requests."""

from .parent import Child, atrain_in_child, train_in_child
from .protocol import Job, JobConfig, parse
from .result import Result

__all__ = ["Child", "Job", "JobConfig", "Result", "atrain_in_child", "parse", "train_in_child"]
