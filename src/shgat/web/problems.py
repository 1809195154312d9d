"""Problem documents (RFC 9457): what every error becomes, and the only place where one does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson

from ..errors import ConflictError, EncoderError, InputError, RefusedError, ShgatError, StoreError

MEDIA_TYPE = "application/problem+json"
KINDS: dict[str, tuple[int, str]] = {
    "malformed": (400, "The request cannot be read"),
    "unauthorised": (401, "A key is needed"),
    "forbidden": (403, "The key does not have the scope"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "The method does not exist here"),
    "too-slow": (408, "The request took too long to arrive"),
    "conflict": (409, "Somebody else was faster"),
    "refused-by-gate": (409, "The gate says no"),
    "too-large": (413, "The request is too large"),
    "media-type": (415, "The body is not JSON"),
    "invalid": (422, "The request cannot mean anything"),
    "reused-key": (422, "The idempotency key belongs to another request"),
    "too-many": (429, "Too many requests"),
    "failed": (500, "Something failed"),
    "unavailable": (503, "Not now"),
}


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818 - what RFC 9457 calls it
    """An error on its way to a client.

    Attributes
    ----------
    kind : of `KINDS`
    detail : what was expected, what came and what to do, in a sentence
    headers : of the answer
    extra : more members of the document
    """

    kind: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """Of the answer."""
        return KINDS[self.kind][0]

    def document(self, request_id: str) -> bytes:
        """The answer's body."""
        status, title = KINDS[self.kind]
        return orjson.dumps(
            {
                "type": f"urn:shgat:problem:{self.kind}",
                "title": title,
                "status": status,
                "detail": self.detail.encode("utf-8", "replace").decode(),
                "request_id": request_id,
                **self.extra,
            }
        )


_OF_ERRORS: tuple[tuple[type[ShgatError], str], ...] = (
    (InputError, "invalid"),
    (RefusedError, "refused-by-gate"),
    (ConflictError, "conflict"),
    (StoreError, "unavailable"),
    (EncoderError, "unavailable"),
    (ShgatError, "failed"),
)
_OF_STATUS = {status: kind for kind, (status, _) in reversed(KINDS.items())}


def of_error(error: Exception) -> Problem:
    """What a client is told: of errors that were raised on purpose their message, of any other nothing."""
    if isinstance(error, Problem):
        return error
    for raised, kind in _OF_ERRORS:
        if isinstance(error, raised):
            return Problem(kind, str(error))
    return Problem("failed", "the request failed; the server's log has the reason under this request id")


def of_status(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Problem:
    """Of an answer that the framework would give."""
    kind = _OF_STATUS.get(status, "failed" if status >= 500 else "malformed")
    said = detail if detail != HTTPStatus(status).phrase else KINDS[kind][1].lower()
    return Problem(kind, said, headers or {})
