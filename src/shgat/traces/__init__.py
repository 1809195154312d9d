"""What happened: one record, one columnar form, the only readers and writers of both; and traces in order, as sessions."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .columns import Traces
    from .files import load_traces, read_traces, write_traces
    from .gathering import Fault, sessions_of
    from .record import Trace
    from .reward import Reward
    from .session_columns import Sessions, load_sessions
    from .sessions import Session, Step, Used

__all__ = [
    "Fault", "Reward", "Session", "Sessions", "Step", "Trace", "Traces", "Used", "load_sessions", "load_traces", "read_traces",
    "sessions_of", "write_traces",
]  # fmt: skip

__getattr__, __dir__ = _lazy.names(__name__, {
    "columns": "Traces",
    "files": "load_traces read_traces write_traces",
    "gathering": "Fault sessions_of",
    "record": "Trace",
    "reward": "Reward",
    "session_columns": "Sessions load_sessions",
    "sessions": "Session Step Used",
})  # fmt: skip
