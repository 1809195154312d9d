"""Real servers: clients that are slow, large or wrong, and an end that loses nothing."""

import contextlib
import json
import socket
import threading
import time

import pytest

from http_server import Process, read_answer
from shgat.errors import InputError
from shgat.store import Store
from shgat.web.keys import KeyFile
from shgat.web.server import bind, check_exposure, inherited, url_of


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Process(tmp_path_factory.mktemp("server")) as server:
        yield server


def exchange(server, request):
    with server.connect() as connection:
        connection.sendall(request)
        return read_answer(connection)


def test_it_answers_and_keeps_the_connection(server):
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(server.request())
            status, headers, body = read_answer(connection)
            assert status == 200
            assert "connection" not in headers
            assert len(json.loads(body)["items"]) == 3


def test_two_requests_at_once_on_one_connection_are_both_answered(server):
    with server.connect() as connection:
        connection.sendall(2 * server.request())
        assert read_answer(connection)[0] == 200


@pytest.mark.parametrize(
    "nonsense",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/rank HTTP/1.1\r\nhost\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_by_a_problem_document(server, nonsense):
    status, headers, body = exchange(server, nonsense)
    assert status == 400
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(body)["status"] == 400


def test_a_large_body_is_refused_before_it_is_read(server):
    request = server.request(body=b"", **{"content-length": str(1 << 30)})
    status, headers, _ = exchange(server, request)
    assert (status, headers["connection"]) == (413, "close")


def test_a_large_body_in_chunks_is_refused_on_the_way(server):
    with server.connect() as connection:
        connection.sendall(server.request(body=b"", **{"transfer-encoding": "chunked"}).replace(b"content-length: 0\r\n", b""))
        with contextlib.suppress(ConnectionError):
            for _ in range(40):
                connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
        assert read_answer(connection)[0] in (413, 0)  # 0: it was told, and went on sending
    assert exchange(server, server.request())[0] == 200


def test_headers_without_end_are_cut_off(server):
    with server.connect() as connection, contextlib.suppress(ConnectionError):
        connection.sendall(b"GET / HTTP/1.1\r\n")
        for _ in range(2000):
            connection.sendall(b"x: " + b"y" * 1000 + b"\r\n")
    assert exchange(server, server.request())[0] == 200


def test_a_port_that_is_taken_is_an_error(server):
    with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1:{server.port}"):
        bind("127.0.0.1", server.port)
    with pytest.raises(InputError, match="cannot listen on"):
        bind("192.0.2.1", 0)


def test_addresses_are_shown_as_urls():
    with contextlib.closing(bind("127.0.0.1", 0)) as bound:
        assert url_of(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_other_machines_need_keys():
    check_exposure("127.0.0.1", False)
    check_exposure("0.0.0.0", True)
    with pytest.raises(InputError, match="give --keys FILE"):
        check_exposure("0.0.0.0", False)


def test_only_sockets_that_listen_are_inherited():
    with socket.socket() as silent, pytest.raises(InputError, match="does not listen"):
        inherited(silent.fileno())
    with pytest.raises(InputError, match="is no socket"):
        inherited(9999)


def test_the_log_of_a_process_holds_no_key(server):
    exchange(server, server.request())
    assert server.key[15:] not in server.log.read_text()
    assert all(json.loads(line)["level"] for line in server.log.read_text().splitlines())


# ---------------------------------------------------------------- the end
class Load:
    """Threads that ask without a pause, each over its own connection, and count what became of their requests."""

    def __init__(self, address, request, threads=4):
        self.address, self.request, self.ended = address, request, threading.Event()
        self.answered = self.refused = 0
        self.lost = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, args=(i,)) for i in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def work(self, i):
        connection = None
        while not self.ended.is_set():
            if connection is None:
                try:
                    connection = socket.create_connection(self.address, timeout=120)  # the next server may take its time to start
                except ConnectionError:
                    with self.lock:
                        self.refused += 1
                    time.sleep(0.02)
                    continue
            try:
                connection.sendall(self.request)
                status, headers, _ = read_answer(connection)
            except (ConnectionError, TimeoutError) as error:
                status, headers = 0, {"error": str(error)}
            with self.lock:
                if status == 200:
                    self.answered += 1
                else:
                    self.lost.append((status, headers))
            if status != 200 or headers.get("connection") == "close":
                connection.close()
                connection = None
        if connection is not None:
            connection.close()


def restarts(folder, n):
    """A supervisor that holds the socket restarts a server under load: (answers, requests that got another answer or none)."""
    folder.mkdir(exist_ok=True)
    _, secret = KeyFile(folder / "keys.json").add("load", ["rank"])
    with contextlib.closing(bind("127.0.0.1", 0)) as held:
        options = ("--keys", str(folder / "keys.json"), "--fd", str(held.fileno()), "--linger", "0.2", "--no-access-log")
        server = Process(folder, *options, descriptors=(held.fileno(),))
        server.key = secret
        with Load(held.getsockname(), server.request()) as load:
            for _ in range(n):
                before = load.answered
                while load.answered < before + 20:
                    time.sleep(0.01)
                assert server.stop() == 0
                server.process.stdout.close()
                server = Process(folder, *options, descriptors=(held.fileno(),))
            before = load.answered
            while load.answered < before + 20:
                time.sleep(0.01)
        assert server.stop() == 0
        server.process.stdout.close()
    assert load.refused == 0
    return load.answered, load.lost


def test_a_restart_under_load_loses_no_request(tmp_path):
    answered, lost = restarts(tmp_path / "service", 1)
    assert answered >= 40
    assert lost == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_restarts_lose_none(tmp_path):
    answered, lost = restarts(tmp_path / "service", 100)
    print(f"{answered} answers, lost: {lost}")
    assert lost == []


def test_a_request_under_way_is_answered_after_the_signal_and_kept(tmp_path):
    with Process(tmp_path, "--linger", "0") as server:
        request = server.request()
        with server.connect() as half, server.connect() as fresh:
            half.sendall(request[:-10])
            time.sleep(0.3)
            server.process.terminate()
            time.sleep(0.2)
            half.sendall(request[-10:])
            fresh.sendall(request)  # a connection that was made before, and asks for the first time now
            answers = [read_answer(half), read_answer(fresh)]
        assert [status for status, _, _ in answers] == [200, 200]
        assert server.process.wait(30) == 0
        assert '"drained"' in server.log.read_text()
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
        assert all(store.decision(json.loads(body)["decision_id"]) is not None for _, _, body in answers)
