"""The outermost layer: every request goes through it, gets an id, is admitted or not, is bounded in size and time, counted and logged."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from ..monitoring import Spans
from .access import Access, scope_of
from .call import Call
from .limits import Limits
from .logs import Requests
from .metrics import Metrics
from .problems import MEDIA_TYPE, Problem, of_error

_log = logging.getLogger("shgat.web")
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Receive, Send], Awaitable[None]]
Direct = Callable[[Call], Awaitable[bytes]]
_JSON = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_OPEN = frozenset({"/healthz", "/readyz"})
_SNAPSHOT = "/v1/catalog/sync"


class Gate:
    """An ASGI application around another one.

    Parameters
    ----------
    inner : answers what is in no `direct`
    direct : (method, path) -> what answers with a body of JSON: the paths that have to be fast, without a framework in between

    Attributes
    ----------
    draining : no connection is kept open after its answer any more
    in_flight : requests that are being answered
    """

    def __init__(
        self,
        inner: App,
        direct: Mapping[tuple[str, str], Direct],
        access: Access,
        limits: Limits,
        metrics: Metrics,
        log: Requests,
        spans: Spans | None = None,
    ) -> None:
        self._spans = spans
        self._inner, self._direct, self._access, self._limits = inner, direct, access, limits
        self._metrics, self._log = metrics, log
        self.draining, self.in_flight = False, 0

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _http(self, scope: Any, receive: Receive, send: Send) -> None:
        call = Call.of(scope)
        answer = _Answer(send, call, self)
        if self._spans is None or call.path in _OPEN:
            await self._timed(scope, receive, answer, call)
            return
        with self._spans.request(call.method, call.path, call.headers) as answered:
            await self._timed(scope, receive, answer, call)
            answered(answer.route or "other", answer.status)

    async def _timed(self, scope: Any, receive: Receive, answer: "_Answer", call: Call) -> None:
        started = time.perf_counter()
        self.in_flight += 1
        try:
            async with asyncio.timeout(self._limits.request_seconds + self._limits.body_seconds):
                await self._answer(scope, receive, answer, call)
        except Exception as error:
            if isinstance(error, TimeoutError):
                error = Problem("unavailable", f"no answer within {self._limits.request_seconds:g} s", {"retry-after": "1"})
            problem = of_error(error)
            if problem.kind == "failed":
                _log.error("request %s failed", call.id, exc_info=error)
            if not answer.status:
                await answer.problem(problem)
        finally:
            self.in_flight -= 1
            seconds = time.perf_counter() - started
            self._metrics.answered(call, answer.route or "other", answer.status, seconds)
            if call.path not in _OPEN:
                trace = {"trace": call.trace} if call.trace else {}
                self._log.write(
                    logger="shgat.web", message="request", id=call.id, method=call.method, route=answer.route or "other",
                    status=answer.status, ms=round(1000.0 * seconds, 3), caller=call.caller, **trace, **call.told,
                )  # fmt: skip

    async def _answer(self, scope: Any, receive: Receive, answer: "_Answer", call: Call) -> None:
        direct = self._direct.get((call.method, call.path))
        if direct is not None:
            answer.route = call.path
        needed = scope_of(call.path)
        if needed is not None:
            client = scope.get("client")
            call.caller = self._access.admit(needed, call.headers, client[0] if client else "").id
            if self.in_flight > self._limits.in_flight:
                raise Problem("unavailable", f"{self._limits.in_flight} requests are being answered already", {"retry-after": "1"})
        if call.method not in ("GET", "HEAD"):
            call.body = await self._body(receive, call, needed is not None)
        if direct is not None:
            await answer.json(await direct(call))
            return
        scope.setdefault("state", {})["call"] = call
        await self._inner(scope, _replayed(call.body, receive), answer)
        answer.route = answer.route or getattr(scope.get("route"), "path", "")

    async def _body(self, receive: Receive, call: Call, admitted: bool) -> bytes:
        """The whole body; a larger one is refused as soon as that is known."""
        most = (self._limits.snapshot if call.path == _SNAPSHOT else self._limits.body) if admitted else 0
        said = call.headers.get("content-length", "")
        if said.isdigit() and int(said) > most:
            raise _too_large(most)
        message = await self._some(receive)
        body = message.get("body", b"")
        if message.get("more_body", False) or len(body) > most:
            parts, size = [body], len(body)
            while message.get("more_body", False) and size <= most:
                message = await self._some(receive)
                parts.append(message.get("body", b""))
                size += len(parts[-1])
            if size > most:
                raise _too_large(most)
            body = b"".join(parts)
        if message["type"] == "http.disconnect":
            raise Problem("too-slow", "the client went away", {"connection": "close"})
        return bytes(body)

    async def _some(self, receive: Receive) -> Message:
        """The next piece of a body; the deadline of all of it is that of the request."""
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                return await receive()
        except TimeoutError:
            detail = f"the body did not arrive within {self._limits.body_seconds:g} s"
            raise Problem("too-slow", detail, {"connection": "close"}) from None


def _too_large(most: int) -> Problem:
    return Problem("too-large", f"the body may have {most} bytes here", {"connection": "close"})


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the framework a body that was read already."""
    waiting = [body]

    async def again() -> Message:
        return {"type": "http.request", "body": waiting.pop(), "more_body": False} if waiting else await receive()

    return again


class _Answer:
    """What goes back, with the headers that every answer has."""

    def __init__(self, send: Send, call: Call, gate: Gate) -> None:
        self._send, self._call, self._gate = send, call, gate
        self.status, self.route = 0, ""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._own()]
        await self._send(message)

    def _own(self) -> list[tuple[bytes, bytes]]:
        own = [(b"x-request-id", self._call.id.encode())]
        return [*own, (b"connection", b"close")] if self._gate.draining else own

    async def json(self, body: bytes) -> None:
        self.status = 200
        headers = [*_JSON, (b"content-length", str(len(body)).encode()), *self._own()]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def problem(self, problem: Problem) -> None:
        body = problem.document(self._call.id)
        headers = [(b"content-type", MEDIA_TYPE.encode()), *_JSON[1:], (b"content-length", str(len(body)).encode())]
        headers += [(name.encode(), value.encode("latin-1", "replace")) for name, value in problem.headers.items()]
        self.status = problem.status
        await self._send({"type": "http.response.start", "status": problem.status, "headers": [*headers, *self._own()]})
        await self._send({"type": "http.response.body", "body": b"" if self._call.method == "HEAD" else body})
