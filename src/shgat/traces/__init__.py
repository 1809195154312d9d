"""What happened: one record, one columnar form, and the only readers and writers of both."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .columns import Traces
    from .files import load_traces, read_traces, write_traces
    from .record import Trace

__all__ = ["Trace", "Traces", "load_traces", "read_traces", "write_traces"]

__getattr__, __dir__ = _lazy.names(
    __name__, {"columns": "Traces", "files": "load_traces read_traces write_traces", "record": "Trace"}
)
