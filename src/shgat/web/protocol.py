"""HTTP/1.1 on a connection, as uvicorn speaks it, for clients that are slow on purpose and for a server that ends."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .limits import Limits

_PATIENCE = 0.5  # seconds that a connection which was just made has for its first request when the server ends


def protocol_of(limits: Limits) -> type[HttpToolsProtocol]:
    """The class of protocols with these limits."""

    class Bounded(HttpToolsProtocol):
        """Cuts off who does not finish the headers in time, and who comes when all connections are taken."""

        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                transport.abort()
            else:
                self._expect(limits.headers_seconds)

        def connection_lost(self, exc: Exception | None) -> None:
            self._expect(None)
            super().connection_lost(exc)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._expect(limits.headers_seconds)

        def on_headers_complete(self) -> None:
            self._expect(None)
            super().on_headers_complete()

        def shutdown(self) -> None:
            """As the server's end has it; but a request that is on its way on a new connection is waited for."""
            if self.cycle is None and not self.transport.is_closing():
                self._expect(min(_PATIENCE, limits.headers_seconds))
            else:
                super().shutdown()

        def _expect(self, seconds: float | None) -> None:
            """The headers by then, or the connection ends."""
            if self._deadline is not None:
                self._deadline.cancel()
            self._deadline = None if seconds is None else self.loop.call_later(seconds, self._late)

        def _late(self) -> None:
            if not self.transport.is_closing():
                self.transport.abort()

        def send_400_response(self, msg: str) -> None:
            """What cannot be read as HTTP is refused by a problem document too."""
            body = (
                b'{"type":"urn:shgat:problem:malformed","title":"The request cannot be read","status":400,"detail":"%s"}'
                % msg.encode()
            )
            head = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(head % len(body) + body)
            self.transport.close()

    return Bounded
