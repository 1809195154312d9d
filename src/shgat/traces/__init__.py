"""What happened: one record, one columnar form, and the only readers and writers of both."""

from .columns import Traces, load_traces
from .record import Trace, TraceBatch

__all__ = ["Trace", "TraceBatch", "Traces", "load_traces"]
