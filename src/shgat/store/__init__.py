"""The store: traces, decisions, parameters and the catalogue on SQLite or PostgreSQL."""

from ..errors import MissingExtraError

try:
    import pgvector  # noqa: F401
    import sqlalchemy  # noqa: F401
except ImportError as error:
    raise MissingExtraError(error.name or "SQLAlchemy", "store") from None

from ..traces.record import Trace, TraceBatch
from .decisions import Decision, Ranked
from .files import ImportReport, export_folder, export_traces, import_folder, import_traces
from .model_versions import Parameters, ParameterVersion
from .store import Store

__all__ = [
    "Decision",
    "ImportReport",
    "ParameterVersion",
    "Parameters",
    "Ranked",
    "Store",
    "Trace",
    "TraceBatch",
    "export_folder",
    "export_traces",
    "import_folder",
    "import_traces",
]
