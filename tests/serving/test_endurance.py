"""Killed gateways, killed children, and stores that are locked, gone or full."""

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from people import until, use
from postgres import PostgresServer
from processes import children, descriptors
from shgat import SHGAT
from shgat.errors import ShgatError
from shgat.learning.spool import MEMORY
from shgat.store import Store

HERE = Path(__file__).parent


def check(url, acknowledged):
    """Every acknowledged trace is there once, with a priority, and the parameters are intact."""
    with Store.open(url) as store:
        found = [t.id for t in store.traces()]
        assert len(set(found)) == len(found) == store.counts()["priorities"]
        assert set(acknowledged) <= set(found)
        assert all(store.decision(key) is not None for key in acknowledged)
        newest = store.newest_model(lambda version: SHGAT.from_bytes(version.data))
        assert newest is None or newest.damaged == ()


def adopted(url, open_ranker):
    """The next gateway takes over what the killed one left in its journal."""
    ranker = open_ranker(url=url)
    until(
        lambda: (
            not list(Path(url.removeprefix("sqlite:///") + ".journal").glob("*.jsonl")) and not ranker.stats()["waiting_for_store"]
        )
    )
    ranker.close()


def kill_gateways(url, open_ranker, people, n, seed):
    rng, acknowledged = random.Random(seed), []
    for run in range(n):
        command = [sys.executable, HERE / "gateway.py", url, str(37 * run)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as gateway:
            assert gateway.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0.0, 2.0))
            gateway.kill()
            words = [line.split() for line in gateway.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        assert {kind for kind, *_ in words} <= {"durable", "waiting"}  # where the disk is slow
        acknowledged += [key for kind, key in words if kind == "durable"]
        adopted(url, open_ranker)
        check(url, acknowledged)
    assert acknowledged
    ranker = open_ranker()
    use(ranker, people[:20])
    until(lambda: ranker.maybe_train() is not None)  # the claim of a killed one ends by itself
    assert not [p for p in MEMORY.glob("shgat-ranker-*") if not Path(f"/proc/{p.name.split('-')[2]}").exists()]


@pytest.mark.slow
def test_killed_gateways_lose_nothing(sqlite_url, open_ranker, people):
    kill_gateways(sqlite_url, open_ranker, people, 2, 0)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_killed_gateways_lose_nothing(sqlite_url, open_ranker, people):
    kill_gateways(sqlite_url, open_ranker, people, 50, 1)


def test_a_killed_child_leaves_the_old_parameters_and_the_next_training_works(open_ranker, people, sqlite_url):
    before = set(children())
    ranker = open_ranker(mode="live", debounce=0.0)
    fds = descriptors()
    until(lambda: set(children()) - before)
    (child,) = set(children()) - before
    os.kill(child, signal.SIGKILL)
    keys = use(ranker, people[:40])
    until(lambda: ranker.stats()["trainings"]["accepted"] >= 1)
    assert not Path(f"/proc/{child}").exists()
    assert ranker.rank(people[0][0]).ranked_by == "model"
    assert abs(descriptors() - fds) <= 6  # connections of the pool
    until(lambda: not ranker.stats()["waiting_for_store"])
    check(sqlite_url, keys)


def test_a_locked_database_is_flagged_and_recovered_from(open_ranker, people, tmp_path):
    ranker = open_ranker()
    x, text, tools = people[0]
    first = ranker.rank(x, 3, text=text)
    until(lambda: not ranker.stats()["waiting_for_store"])
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert ranker.feedback(first.decision_id, tools=tools, outcome=1.0)  # kept
    assert not ranker.feedback(first.decision_id, tools=tools, outcome=1.0)
    assert ranker.rank(x, 3, text=text).ids == first.ids
    until(lambda: any("locked" in why for why in ranker.rank(x, 3, text=text).degraded))
    other.execute("ROLLBACK")
    other.close()
    until(lambda: ranker.rank(x, 3).degraded == (), 5.0)
    until(lambda: not ranker.stats()["waiting_for_store"], 5.0)
    assert not ranker.feedback(first.decision_id, tools=tools, outcome=1.0)


@pytest.mark.slow
def test_a_store_that_cannot_be_reached_at_first(open_ranker, people, tmp_path):
    url = f"sqlite:///{tmp_path / 'later.db'}"
    with closing(sqlite3.connect(tmp_path / "later.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ranker = open_ranker(url=url)
        answer = ranker.rank(people[0][0], 3)
        assert (answer.ranked_by, len(answer)) == ("model", 3)
        assert answer.degraded
        assert ranker.feedback(answer.decision_id, tools=people[0][2], outcome=1.0)
        with pytest.raises(ShgatError):
            ranker.maybe_train()
        other.execute("ROLLBACK")
    until(lambda: ranker.rank(people[0][0], 3).degraded == (), 5.0)
    use(ranker, people[1:30])
    assert ranker.maybe_train().version == 1
    check(url, [answer.decision_id])


@pytest.fixture
def own_server():
    """A PostgreSQL that no other test uses."""
    server = PostgresServer()
    server.start()
    server.execute("CREATE DATABASE ranker")
    yield server
    server.remove()


def test_a_stopped_postgresql_is_flagged_and_recovered_from(own_server, open_ranker, people):
    url = own_server.url("ranker")
    ranker = open_ranker(url=url, mode="live", debounce=0.0)
    keys = use(ranker, people[:20])
    until(lambda: ranker.stats()["last_training"])
    until(lambda: not ranker.stats()["waiting_for_store"] and not ranker.training)
    own_server.stop()
    for x, text, tools in people[20:40]:  # each of the pool's connections is dead
        answer = ranker.rank(x, 3, text=text)
        assert answer.ranked_by == "model"
        assert ranker.feedback(answer.decision_id, tools=tools, outcome=1.0)
        assert not ranker.feedback(answer.decision_id, tools=tools, outcome=1.0)
        keys.append(answer.decision_id)
    assert any("retry" in why for why in ranker.rank(people[0][0]).degraded)
    assert ranker.stats()["waiting_for_store"] >= 40
    with pytest.raises(ShgatError, match="retry"):
        ranker.maybe_train()
    own_server.start()
    until(lambda: ranker.rank(people[0][0]).degraded == (), 5.0)
    until(lambda: not ranker.stats()["waiting_for_store"])
    check(url, keys)
    with Store.open(url) as store:
        until(lambda: all(t.priority is not None for t in store.traces()))  # trained on
    until(lambda: not ranker.stats()["trouble"])


def test_a_full_disk_is_flagged_and_recovered_from(open_ranker, people, sqlite_url):
    ranker = open_ranker()
    x, text, tools = people[0]
    ranker.rank(x, 3, text=text)
    until(lambda: not ranker.stats()["waiting_for_store"])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        answer = ranker.rank(x, 3, text=text)
        assert ranker.feedback(answer.decision_id, tools=tools, outcome=1.0)
        until(lambda: ranker.rank(x, 3, text=text).degraded)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    until(lambda: ranker.rank(x, 3).degraded == (), 5.0)
    until(lambda: not ranker.stats()["waiting_for_store"], 5.0)
    check(sqlite_url, [answer.decision_id])
