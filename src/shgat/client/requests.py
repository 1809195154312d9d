"""Requests and what becomes of their answers: the part that both clients share."""

import base64
import random
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict
from urllib.parse import quote, urlsplit

import numpy as np

from ..errors import InputError, RemoteError

Kind = Literal["tools", "capabilities", "sets"]
TOO_MANY = 429
RETRIED = frozenset({TOO_MANY, 502, 503, 504})
LONGEST_WAIT = 30.0  # seconds before another attempt, whatever a server says


class RankOptions(TypedDict, total=False):
    """What may be asked besides; see `shgat.serving.Ranker.rank`."""

    context_tools: Iterable[str]
    candidates: Iterable[str]
    servers: Iterable[str]
    tags: Iterable[str]
    exclude: Iterable[str]
    rules: Mapping[str, Any]
    session: str
    principal: str
    order: Literal["score", "stable"]
    min_score: float
    explain: bool


class Told(TypedDict, total=False):
    """What may be told besides; see `shgat.serving.Ranker.feedback`."""

    capability_id: str
    duration_ms: float
    error: str
    principal: str
    session: str
    step: int
    end: Literal["terminal", "truncated"]
    rating: float


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes
    ----------
    again : may it be sent again where nobody knows whether it arrived?
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    again: bool = True


MODELS, STATS = Asked("GET", "/v1/models"), Asked("GET", "/v1/stats")


def address(url: str) -> str:
    """A server's URL without what follows its path; InputError for what is none."""
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("the URL of a server begins with http:// or https:// and names a host, http://127.0.0.1:8321 for instance")
    if parts.username or parts.password:
        raise InputError("the URL holds a password, which this server does not use: give the key as key=")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def rank(intent: object, top_k: int, kind: Kind, text: str | None, options: RankOptions) -> Asked:
    """`POST /v1/rank`. An intent is a text, or an embedding, which goes as base64."""
    body = {**_intent(intent, text), "top_k": top_k, "kind": kind}
    body |= {name: _listed(value) for name, value in options.items() if value is not None}
    return Asked("POST", "/v1/rank", body)


def why_not(intent: object, tool: str, text: str | None, context_tools: Iterable[str]) -> Asked:
    """`POST /v1/why-not`."""
    return Asked("POST", "/v1/why-not", {**_intent(intent, text), "tool": tool, "context_tools": list(context_tools)})


def feedback(decision: Any, tools: Iterable[str] | None, outcome: float, told: Told) -> Asked:
    """`POST /v1/feedback` to a ranking or a decision id, under a key of its own: sent again it counts once."""
    key = getattr(decision, "decision_id", decision)
    body = {"decision_id": key, "outcome": outcome, "tools": None if tools is None else list(tools), **told}
    given = {name: value for name, value in body.items() if value is not None}
    return Asked("POST", "/v1/feedback", given, headers={"Idempotency-Key": uuid.uuid4().hex})


def page(what: str, offset: int, limit: int, q: str, server: str = "") -> Asked:
    """`GET /v1/tools` or `/v1/capabilities`."""
    more = {name: value for name, value in (("q", q), ("server", server)) if value}
    return Asked("GET", f"/v1/{what}", parameters={"offset": offset, "limit": limit, **more})


def sync(snapshot: Any, server: str) -> Asked:
    """`POST /v1/catalog/sync`."""
    return Asked("POST", "/v1/catalog/sync", {"snapshot": snapshot, "server": server})


def moved(version: int | str, verb: str, told: Mapping[str, Any]) -> Asked:
    """`POST /v1/models/{id}/promote` or `/rollback`: not sent again, since each is a line in a log."""
    name = quote(str(version), safe="")
    return Asked("POST", f"/v1/models/{name}/{verb}", {n: v for n, v in told.items() if v is not None}, again=False)


def answer_of(status: int, kind: str, read: Any) -> Any:
    """The JSON of an answer that is none of an error.

    Parameters
    ----------
    kind : its media type
    read : makes JSON of it

    Raises
    ------
    RemoteError
        for a problem document, and for what no shgat server sends.
    """
    try:
        found = read()
    except ValueError:
        found = None
    if 200 <= status < 300 and kind.startswith("application/json") and found is not None:
        return found
    if isinstance(found, dict) and isinstance(found.get("detail"), str):
        name = str(found.get("type", "")).rpartition(":")[2] or "failed"
        raise RemoteError(f"{found['detail']} ({status})", status, name, str(found.get("request_id", "")))
    raise RemoteError(
        f"the server answered {status} and no problem document: is this the address of a shgat server?", status, "failed"
    )


def to_be_retried(asked: Asked, status: int) -> bool:
    """Does an answer mean that the same request may be asked again? One that is a line in a log only where it surely did nothing."""
    return status in RETRIED and (asked.again or status == TOO_MANY)


def wait(attempt: int, retry_after: str | None) -> float:
    """Seconds before attempt number `attempt`, from 1: what the server says, else twice as long each time, and not all clients at once."""
    if retry_after is not None and retry_after.isdigit():
        return min(LONGEST_WAIT, float(retry_after))
    return min(LONGEST_WAIT, 0.1 * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)


def _intent(intent: object, text: str | None) -> dict[str, Any]:
    if intent is None or isinstance(intent, str):
        said = text if intent is None else intent
        if said is None:
            raise InputError("give an embedding or a text")
        return {"text": said}
    try:
        x = np.ascontiguousarray(intent, "<f4")
    except (TypeError, ValueError):
        raise InputError("an intent is a text or an array of numbers") from None
    packed = {"embedding_base64": base64.b64encode(x.tobytes()).decode()}
    return packed if text is None else {**packed, "text": text}


def _listed(value: Any) -> Any:
    scalar = isinstance(value, (str, bytes, int, float, Mapping))
    return value if scalar else list(value)
