"""An endpoint that speaks as OpenAI's: a real server in this process, which can be busy, broken, slow or strange."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import orjson
import pytest

from shgat import EncoderError, InputError
from shgat.features import EndpointEncoder

pytest.importorskip("httpx2", reason="the extra embed is not installed")
KEY = "sk-very-secret"


class Server(ThreadingHTTPServer):
    """Answers with letters counted, or with what stands in `script` first: (status, headers, body) or seconds to wait."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.keys, self.script = [], [], []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self):
        body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.keys.append(self.headers.get("Authorization"))
        rows = [{"index": i, "embedding": [1.0 + t.count(c) for c in "abcdefgh"]} for i, t in enumerate(body["input"])]
        answer = (200, {}, orjson.dumps({"data": rows[::-1], "usage": {"total_tokens": 10 * len(rows)}}))
        if self.server.script:
            scripted = self.server.script.pop(0)
            if isinstance(scripted, float):
                time.sleep(scripted)
            else:
                answer = scripted
        status, headers, content = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def opened(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    waits = []
    url = f"http://127.0.0.1:{server.server_port}/v1"
    made = lambda **options: EndpointEncoder("letters", url, sleep=waits.append, **options)  # noqa: E731
    made.waits = waits
    return made


def test_texts_go_in_batches_and_come_back_in_order(server, opened):
    encoder = opened(batch=2)
    rows = encoder.encode(["a", "bb", "ccc", "", "e"])
    assert [len(b["input"]) for b in server.asked] == [2, 2, 1]
    assert set(server.keys) == {f"Bearer {KEY}"}
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    assert rows.argmax(axis=1).tolist() == [0, 1, 2, 0, 4]
    assert (encoder.dimension, encoder.tokens) == (8, 50)
    assert encoder.id == f"letters@127.0.0.1:{server.server_port}"
    assert opened(query_prefix="q: ").id != encoder.id != opened(passage_prefix="q: ").id != opened(query_prefix="q: ").id


def test_what_may_pass_is_tried_again_as_late_as_the_server_says(server, opened):
    server.script = [(429, {"Retry-After": "7"}, b"{}"), (503, {}, b"busy")]
    assert opened().encode(["a"]).shape == (1, 8)
    assert opened.waits[0] == 7.0
    assert 0.5 <= opened.waits[1] <= 1.5


def test_what_does_not_pass_is_an_error_without_the_key(server, opened):
    server.script = [(500, {}, b"")] * 4
    with pytest.raises(EncoderError, match="status 500"):
        opened().encode(["a"])
    assert len(server.asked) == 4
    server.script = [(401, {}, orjson.dumps({"error": f"bad key {KEY}"}))]
    with pytest.raises(EncoderError, match="status 401; set OPENAI_API_KEY") as error:
        opened().encode(["a"])
    assert KEY not in str(error.value)
    assert len(server.asked) == 5


def test_a_slow_one_is_left(server, opened):
    server.script = [1.0]
    with pytest.raises(EncoderError, match=r"ReadTimeout after 0\.1 s"):
        opened(timeout=0.1, retries=0).encode(["a"])


@pytest.mark.parametrize(
    "content",
    [b"no json", b"[]", b'{"data": [{"index": 0}]}', b'{"data": []}', b'{"data": [{"index": 0, "embedding": [null, 1]}]}'],
)
def test_a_strange_answer_is_an_error(server, opened, content):
    server.script = [(200, {}, content)]
    with pytest.raises(EncoderError, match=r"letters@"):
        opened().encode(["a"])


def test_a_budget_ends(server, opened):
    encoder = opened(budget=15, batch=1)
    with pytest.raises(EncoderError, match="the budget of 15 tokens is spent"):
        encoder.encode(["a", "b", "c"])
    assert len(server.asked) == 2


def test_a_key_that_no_header_can_hold_is_not_shown(opened, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\nX: y\u20ac")
    with pytest.raises(EncoderError) as error:
        opened(retries=0).encode(["a"])
    assert KEY not in str(error.value)


@pytest.mark.parametrize("url", ["ftp://host/v1", "http://user:pw@host/v1", "http:///v1", "http://host/v1?key=1"])
def test_a_url_that_is_none_or_holds_a_password_is_refused(url):
    with pytest.raises(InputError, match="the URL of an endpoint") as error:
        EndpointEncoder("m", url)
    assert "pw" not in str(error.value)
