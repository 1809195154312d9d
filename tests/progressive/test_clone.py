"""Clones: bounded, in time and in bytes, and nothing of them stays where they fail."""

import socket
import threading
import time

import numpy as np
import pytest

from processes import children
from shgat.errors import QuotaError, RepositoryError
from shgat.progressive.clone import clone, reachable
from shgat.progressive.history import History
from shgat.progressive.quota import taken

MB = 10**6


@pytest.fixture
def silent():
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/a/b"


@pytest.fixture
def asking():
    """A server that asks for a password."""
    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/a/b"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_clone_has_the_same_history_and_leaves_the_source_alone(planted, tmp_path, tree):
    before = tree(planted.path)
    clone(f"file://{planted.path}", tmp_path / "c.git", 50 * MB, 60)
    assert History.of(tmp_path / "c.git").order == History.of(planted.path).order
    assert len(list((tmp_path / "c.git/objects/pack").glob("*.pack"))) == 1
    assert tree(planted.path) == before


def test_contents_are_left_out_where_the_server_can(planted, tmp_path, git, work, commit):
    commit("large", {"large": np.random.default_rng(0).bytes(2 * MB)})
    git(work, "config", "uploadpack.allowFilter", "true")
    clone(f"file://{work}", tmp_path / "c.git", 50 * MB, 60)
    assert taken(tmp_path / "c.git") < MB
    assert [x.path for c in History.of(tmp_path / "c.git").commits() for x in c.changes] == [b"large"]


def test_one_that_is_too_large_ends_within_what_it_was_given(tmp_path, work, commit):
    commit("large", {f"f{i}": np.random.default_rng(i).bytes(MB) for i in range(12)})
    peak, done = [0], threading.Event()

    def watch():
        while not done.is_set():
            peak[0] = max(peak[0], taken(tmp_path / "clones"))
            time.sleep(0.002)

    (tmp_path / "clones").mkdir()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with pytest.raises(QuotaError, match="more than the 5000000 bytes"):
            clone(f"file://{work}", tmp_path / "clones/c.git", 5 * MB, 60)
    finally:
        done.set()
        watcher.join()
    assert 0 < peak[0] <= 5 * MB
    assert not (tmp_path / "clones/c.git").exists()
    with pytest.raises(QuotaError, match="less than the smallest"):
        clone(f"file://{work}", tmp_path / "clones/c.git", 1000, 60)


def test_a_server_that_says_nothing_is_given_up(silent, tmp_path):
    before = children()
    with pytest.raises(RepositoryError, match=r"more than 0.3 s"):
        clone(silent, tmp_path / "c.git", 50 * MB, 0.3)
    assert children() == before
    assert not (tmp_path / "c.git").exists()
    assert "no answer" in reachable(silent, 0.3)


def test_a_password_that_is_asked_for_is_an_error_at_once(asking, tmp_path):
    with pytest.raises(RepositoryError, match="ended with 128"):
        clone(asking, tmp_path / "c.git", 50 * MB, 30)
    assert reachable(asking, 30)


@pytest.mark.parametrize(
    "place", ["ext::sh -c 'touch executed'", "--upload-pack=touch executed", "ssh://host/x", "file:///nowhere"]
)
def test_hostile_places_start_nothing(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RepositoryError, match="ended with 128"):
        clone(place, tmp_path / "c.git", 50 * MB, 30)
    assert list(tmp_path.iterdir()) == []


def test_what_can_be_reached(planted, tmp_path):
    assert reachable(f"file://{planted.path}", 30) == ""
    assert reachable(f"file://{tmp_path}", 30)
