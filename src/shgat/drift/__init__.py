"""Is what comes in still what the model was trained on? A reference kept with a version, and tests of a window against it."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .reference import Reference
    from .report import DriftConfig, Report, Test, compared
    from .window import Window

__all__ = ["DriftConfig", "Reference", "Report", "Test", "Window", "compared"]

__getattr__, __dir__ = _lazy.names(
    __name__, {"reference": "Reference", "report": "DriftConfig Report Test compared", "window": "Window"}
)
