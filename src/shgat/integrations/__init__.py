"""Adapters into what people already use: each ranks the tools that a host offers, and learns from what was called then."""

from typing import TYPE_CHECKING

from .. import _lazy

if TYPE_CHECKING:
    from .filtering import ToolFilter, filter_tools
    from .found import Found
    from .linking import Searches
    from .searching import ToolSearch

__all__ = ["Found", "Searches", "ToolFilter", "ToolSearch", "filter_tools"]

__getattr__, __dir__ = _lazy.names(
    __name__,
    {"filtering": "ToolFilter filter_tools", "found": "Found", "linking": "Searches", "searching": "ToolSearch"},
)
