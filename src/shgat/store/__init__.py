"""The store: traces, decisions, models and the catalogue on SQLite or PostgreSQL."""

from ..errors import MissingExtraError

try:
    import sqlalchemy  # noqa: F401
except ImportError as error:
    raise MissingExtraError(error.name or "SQLAlchemy", "store") from None

from .database import DamagedError
from .decisions import Decision, Ranked
from .files import ImportReport, export_folder, export_traces, import_folder, import_traces
from .model_versions import Intact, ModelSummary, ModelVersion
from .store import Store

__all__ = [
    "DamagedError",
    "Decision",
    "ImportReport",
    "Intact",
    "ModelSummary",
    "ModelVersion",
    "Ranked",
    "Store",
    "export_folder",
    "export_traces",
    "import_folder",
    "import_traces",
]
