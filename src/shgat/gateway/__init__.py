"""One MCP server in front of many, which learns from every call which of their tools are the right ones."""

from .settings import Settings

__all__ = ["Settings"]
