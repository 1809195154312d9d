"""Serving: sockets, signals, and an end that loses no request which was accepted."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from ..errors import InputError
from .access import is_loopback
from .app import create_app
from .gate import Gate
from .protocol import protocol_of
from .service import Service

_log = logging.getLogger("shgat.web")
_BACKLOG = 1024
_TURN = 0.001  # seconds that the threads which write and learn may keep an answer waiting, each time


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises
    ------
    InputError
        where somebody listens there already, or the host is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host.strip("[]"), port))
        bound.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        bound.close()
        raise InputError(f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}") from None
    return bound


def inherited(descriptor: int) -> socket.socket:
    """A socket that whoever started this process listens on: connections that come while no server runs wait there."""
    try:
        found = socket.socket(fileno=descriptor)
        listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise InputError(f"file descriptor {descriptor} is no socket: {error.strerror}") from None
    if not listens:
        found.detach()  # it stays its owner's
        raise InputError(f"file descriptor {descriptor} is a socket that does not listen")
    return found


def check_exposure(host: str, closed: bool) -> None:
    """InputError where a server would be open to other machines without a file of keys."""
    if not is_loopback(host) and not closed:
        raise InputError(
            f"{host} can be reached from other machines: give --keys FILE (`shgat serve keys add` makes one), or listen on 127.0.0.1"
        )


def url_of(bound: socket.socket) -> str:
    """Where a server can be reached."""
    if bound.family not in (socket.AF_INET, socket.AF_INET6):
        return f"unix:{bound.getsockname()}"
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve(
    service: Service, bound: socket.socket, *, access_log: bool = True, linger: float = 1.0, grace: float = 30.0,
    started: Callable[[], object] = lambda: None,
) -> None:  # fmt: skip
    """Serves until SIGTERM or SIGINT, then drains: `/readyz` says so, answers end their connections, and nothing that came in is dropped.

    Parameters
    ----------
    bound : a listening socket; closed at the end
    access_log : a line of JSON on stderr for each request
    linger : seconds between the signal and the end of listening, for balancers to look elsewhere
    grace : seconds that requests have to end after that
    started : called when requests are taken
    """
    gate = create_app(service, sys.stderr if access_log else None)
    config = uvicorn.Config(
        gate, http=protocol_of(service.limits), ws="none", log_config=None, access_log=False, server_header=False, date_header=True,
        timeout_keep_alive=round(max(1.0, service.limits.idle_seconds)), timeout_graceful_shutdown=round(max(1.0, grace)),
        lifespan="on", backlog=_BACKLOG, proxy_headers=False,
    )  # fmt: skip
    gc.collect()
    gc.freeze()  # what was loaded stays: it need not be looked through again while requests wait
    sys.setswitchinterval(_TURN)
    with asyncio.Runner(loop_factory=_loop()) as runner:
        runner.run(_Draining(config, gate, linger, started).serve([bound]))


class _Draining(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, gate: Gate, linger: float, started: Callable[[], object]) -> None:
        super().__init__(config)
        self._gate, self._linger, self._said = gate, linger, started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT drain. Unlike uvicorn's own they do not strike again at the end: there is a ranker to be closed."""
        before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, and says so."""
        await super().startup(sockets)
        self._said()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """While it lingers everything is answered, and every connection that was answered ends; then uvicorn does the rest."""
        self._gate.draining = True
        _log.info("draining: %d requests are being answered", self._gate.in_flight)
        if not self.force_exit:
            await asyncio.sleep(self._linger)
        await super().shutdown(sockets)
        _log.info("drained")


def _loop() -> Any:
    try:
        import uvloop

        return uvloop.new_event_loop
    except ImportError:
        return asyncio.new_event_loop
