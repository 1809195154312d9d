"""One request, as the gate hands it on: who asks, under which id, with which body."""

import itertools
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import orjson

from .problems import Problem

_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_RUN, _numbers = secrets.token_hex(4), itertools.count(1)  # of this process: random numbers for each request would be dear
_TRACE = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


@dataclass(slots=True)
class Call:
    """What is known of a request.

    Attributes
    ----------
    headers : lower-case name -> value
    id : the client's `X-Request-Id` where it is usable, else a new one
    trace : trace id of a valid `traceparent`, "" without one
    caller : id of the key, "" before it is known
    told : what the log says of it besides
    """

    method: str
    path: str
    headers: dict[str, str]
    id: str
    trace: str = ""
    caller: str = ""
    body: bytes = b""
    told: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, scope: Any) -> "Call":
        """Of an ASGI scope."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get("x-request-id", "")
        traced = _TRACE.fullmatch(headers.get("traceparent", ""))
        trace = "" if traced is None or not traced[1].strip("0") else traced[1]
        return cls(scope["method"], scope["path"], headers, given if _ID.fullmatch(given) else f"{_RUN}{next(_numbers):08x}", trace)

    def json(self) -> Any:
        """The body.

        Raises
        ------
        Problem
            media-type or malformed.
        """
        kind = self.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Problem("media-type", f"send application/json, not {kind!r:.80}")
        try:
            return orjson.loads(self.body)
        except ValueError as error:
            raise Problem("malformed", f"the body is no JSON: {error}"[:300]) from None
