"""The server's log: one JSON object a line on stderr, without keys, texts or embeddings."""

import logging
import sys
import time
from typing import Any, TextIO

import orjson

_LEVELS = {"uvicorn.error": logging.WARNING, "uvicorn.access": logging.CRITICAL, "shgat": logging.INFO}


class JsonLines(logging.Formatter):
    """A record as one line of JSON. Tracebacks become a member, so that a line stays a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        found: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            found["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(found, default=str).decode()


class Requests:
    """A line a request, without going through `logging`: that would cost more than to write it.

    Parameters
    ----------
    stream : None: no lines
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, **told: Any) -> None:
        """Writes what is known of a request; a stream that is gone is left alone."""
        if self._stream is not None:
            try:
                self._stream.write(orjson.dumps({"time": round(time.time(), 3), "level": "info", **told}).decode() + "\n")
            except (OSError, ValueError):
                self._stream = None


def configure(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Lets the library's and the server's logs be lines of JSON on stderr."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonLines())
    for name, least in _LEVELS.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(max(level, least))
