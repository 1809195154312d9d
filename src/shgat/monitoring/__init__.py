"""Is everything as it should be? Figures of a ranker and its store, the rules over them, and who is told."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .evaluator import Alert, Evaluator
    from .exposition import Exposition
    from .facts import FactSettings, StoreFacts
    from .history import History
    from .monitor import Monitor, MonitorSettings
    from .receivers import Command, Webhook
    from .rules import RULES, Rule
    from .spans import Spans
    from .watch import Watch

__all__ = [
    "RULES", "Alert", "Command", "Evaluator", "Exposition", "FactSettings", "History", "Monitor", "MonitorSettings", "Rule", "Spans",
    "StoreFacts", "Watch", "Webhook",
]  # fmt: skip

__getattr__, __dir__ = _lazy.names(
    __name__,
    {
        "evaluator": "Alert Evaluator",
        "exposition": "Exposition",
        "facts": "FactSettings StoreFacts",
        "history": "History",
        "monitor": "Monitor MonitorSettings",
        "receivers": "Command Webhook",
        "rules": "RULES Rule",
        "spans": "Spans",
        "watch": "Watch",
    },
)
