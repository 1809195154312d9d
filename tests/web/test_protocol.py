"""Clients that are slow on purpose."""

import asyncio
import contextlib

import uvicorn

from http_server import read_answer
from shgat.web.limits import Limits
from shgat.web.protocol import protocol_of
from shgat.web.server import bind


@contextlib.contextmanager
def running(limits):
    """A server in a thread, with an application that answers everything at once."""
    import threading

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    bound = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, http=protocol_of(limits), lifespan="off", log_config=None, ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([bound])))
    address = bound.getsockname()
    thread.start()
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join()


def connect(address):
    import socket

    return socket.create_connection(address, timeout=10)


def drips(connection):
    """Sends one byte; False where the connection has ended."""
    try:
        connection.sendall(b"x")
        return bool(connection.recv(1))
    except TimeoutError:
        return True
    except ConnectionError:
        return False


def test_headers_that_do_not_end_in_time_end_the_connection():
    with running(Limits(headers_seconds=0.3)) as address, connect(address) as slow, connect(address) as silent:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        slow.settimeout(0.1)
        assert any(not drips(slow) for _ in range(200))  # a byte now and then does not help
        assert read_answer(silent)[0] == 0
        with connect(address) as good:
            good.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            assert read_answer(good)[0] == 200


def test_connections_beyond_the_limit_are_closed():
    with running(Limits(connections=2)) as address, connect(address), connect(address), connect(address) as third:
        third.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert read_answer(third)[0] == 0


def test_a_connection_that_never_asked_does_not_hold_up_the_end():
    with running(Limits()) as address:
        silent = connect(address)
    assert read_answer(silent)[0] == 0
    silent.close()
