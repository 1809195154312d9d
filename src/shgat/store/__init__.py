"""The store: traces, decisions, models and the catalogue on SQLite or PostgreSQL."""

from ..errors import DamagedError, MissingExtraError

try:
    import sqlalchemy  # noqa: F401
except ImportError as error:
    raise MissingExtraError(error.name or "SQLAlchemy", "store") from None

from .aliases import ALIASES, ANYTHING, Anything, Move
from .decisions import Answers, Decision, Ranked
from .files import ImportReport, export_folder, export_traces, import_folder, import_traces
from .model_versions import Intact, ModelSummary, ModelVersion
from .outcomes import Outcome
from .principals import Portion, PrincipalMove
from .priorities import Backlog, Reason
from .retention import Retention
from .store import Store

__all__ = [
    "ALIASES",
    "ANYTHING",
    "Answers",
    "Anything",
    "Backlog",
    "DamagedError",
    "Decision",
    "ImportReport",
    "Intact",
    "ModelSummary",
    "ModelVersion",
    "Move",
    "Outcome",
    "Portion",
    "PrincipalMove",
    "Ranked",
    "Reason",
    "Retention",
    "Store",
    "export_folder",
    "export_traces",
    "import_folder",
    "import_traces",
]
