"""The pipeline that retrains and deploys by itself: data, training, gate, registry, canary, production; each step once, one at a time."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .dry_run import Planned, plan
    from .pipeline import STEPS, Event, Pipeline
    from .runs import Run, Runs, Step
    from .settings import Settings
    from .settings_file import read_settings

__all__ = ["STEPS", "Event", "Pipeline", "Planned", "Run", "Runs", "Settings", "Step", "plan", "read_settings"]

__getattr__, __dir__ = _lazy.names(
    __name__,
    {
        "pipeline": "STEPS Event Pipeline",
        "dry_run": "Planned plan",
        "runs": "Run Runs Step",
        "settings": "Settings",
        "settings_file": "read_settings",
    },
)
