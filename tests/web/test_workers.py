"""Worker processes: one socket, one copy of the model, a version that reaches all, and one that dies."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from http_server import Process, read_answer, small_catalog
from shgat import SHGAT
from shgat.store import Store
from shgat.web.workers import Workers


def children(process):
    return {int(p) for p in Path(f"/proc/{process}/task/{process}/children").read_text().split()}


def until(happened, seconds=60.0):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Process(tmp_path_factory.mktemp("workers"), "--workers", "3") as server:
        yield server


def versions(server, times=30):
    """Which version answers, on connections of their own."""
    found = []
    for _ in range(times):
        with server.connect() as connection:
            connection.sendall(server.request())
            status, _, body = read_answer(connection)
            assert status == 200
            found.append(json.loads(body)["model_version"])
    return found


def test_all_answer_on_one_socket(server):
    assert len(children(server.process.pid)) == 3
    assert set(versions(server)) == {"untrained"}


def test_a_new_version_reaches_all(server):
    with Store.open(f"sqlite:///{server.folder}/store.db") as store:
        number = store.put_model(SHGAT.from_catalog(small_catalog()).to_bytes(), {})
    until(lambda: set(versions(server)) == {f"v{number}"})


def test_one_that_dies_is_started_again(server):
    before = children(server.process.pid)
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(children(server.process.pid) - before) == 1 and len(children(server.process.pid)) == 3)
    versions(server)
    assert "is started again" in server.log.read_text()


def test_sigterm_ends_all_of_them(tmp_path):
    with Process(tmp_path, "--workers", "2", "--linger", "0") as server:
        there = children(server.process.pid)
        versions(server, 4)
        assert server.stop() == 0
        assert len(there) == 2
        assert not any(Path(f"/proc/{p}").exists() for p in there)


def test_a_worker_that_fails_at_once_does_not_spin(tmp_path):
    log = tmp_path / "log"

    def work(first):
        with log.open("a") as file:
            file.write(f"{first}\n")
        if log.read_text().count("\n") == 3:
            os.kill(os.getppid(), signal.SIGTERM)
            signal.pause()
        os._exit(1)

    started = time.monotonic()
    Workers(1, work).run()
    assert log.read_text().split() == ["True", "False", "False"]
    assert time.monotonic() - started > 1.5
