"""From what people have to a catalogue and traces: MCP servers, tool definitions, OpenAPI, n8n, logs of agents."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .findings import Note
    from .reading import Imported, read, update
    from .report import Report, SourceReport
    from .servers import Server

__all__ = ["Imported", "Note", "Report", "Server", "SourceReport", "read", "update"]

__getattr__, __dir__ = _lazy.names(
    __name__, {"findings": "Note", "reading": "Imported read update", "report": "Report SourceReport", "servers": "Server"}
)
