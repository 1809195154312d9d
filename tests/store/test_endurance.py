"""What a store goes through: killed writers, locks, full disks, a server that goes away, many at once."""

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shgat.errors import StoreError
from shgat.store import Store

D = 8
HERE = Path(__file__).parent


def run(script: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, HERE / script, *arguments], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_survivors(url: str, acknowledged: list[str]) -> None:
    with Store.open(url) as store:
        found = {trace.id: trace for trace in store.traces()}
        assert store.counts()["traces"] == store.counts()["priorities"] == len(found)  # none doubled, none half there
        decisions = [trace.decision_id for trace in found.values()]
        assert len(set(decisions)) == len(decisions)
        batches = {key.rsplit("-", 1)[0] for key in found}
        assert all(f"{batch}-{j}" in found for batch in batches for j in range(3))  # a transaction is whole
        for kind, *words in map(str.split, acknowledged):
            if kind == "trace":
                assert all(key in found for key in words)
            elif kind == "priority":
                assert found[words[0]].priority == float(words[1])
            else:
                assert store.model(int(words[0])).data == words[1].encode() * 500
        newest = max((int(w.split()[1]) for w in acknowledged if w.startswith("model")), default=0)
        latest = store.newest_model(lambda found: found.data)
        assert (latest.version if latest else 0) >= newest
        assert not latest or latest.damaged == ()


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_writers_are_killed(url):
    Store.open(url, D).close()
    acknowledged = json.loads(run("writer.py", url, "12", "0"))
    assert acknowledged
    check_survivors(url, acknowledged)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_when_fifty_writers_are_killed(url, seed):
    Store.open(url, D).close()
    check_survivors(url, json.loads(run("writer.py", url, "50", str(1 + seed))))


def test_postgresql_goes_away_and_comes_back(server, postgresql_url, make_trace):
    with Store.open(postgresql_url, D, timeout=2.0) as store:
        store.add_trace(make_trace(1))
        server.stop()
        try:
            started = time.monotonic()
            for _ in range(3):
                with pytest.raises(StoreError, match="runs and can be reached"):
                    store.add_trace(make_trace(2))
            with pytest.raises(StoreError, match="runs and can be reached"):
                store.newest_model(lambda found: found)
            assert time.monotonic() - started < 20
        finally:
            server.start()
        assert store.trace("t1") is not None
        assert store.add_trace(make_trace(2))


def test_a_disk_without_space_is_reported_and_survived(sqlite_url):
    report = json.loads(run("disk_full.py", sqlite_url))
    assert "free some disk space" in report["failure"]
    assert report["acknowledged"]
    assert report["readable"]
    assert report["recovered"]
    with Store.open(sqlite_url) as store:
        ids = [trace.id for trace in store.traces()]
    assert ids == [*report["acknowledged"], f"t{len(report['acknowledged'])}"]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs takes root")
def test_a_full_file_system_is_reported_and_survived(tmp_path, make_trace):
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let us mount a tmpfs")
    try:
        with Store.open(f"sqlite:///{tmp_path}/x.db", D) as store:
            (tmp_path / "ballast").write_bytes(bytes(100_000))
            acknowledged = 0

            def fill() -> None:
                nonlocal acknowledged
                for i in range(1000):
                    store.add_trace(make_trace(i, error="x" * 4000))
                    acknowledged += 1

            with pytest.raises(StoreError, match="free some disk space"):
                fill()
            assert store.counts()["traces"] == acknowledged
            (tmp_path / "ballast").unlink()
            assert store.add_trace(make_trace(acknowledged))
            assert [t.id for t in store.traces()] == [f"t{i}" for i in range(acknowledged + 1)]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_threads_share_a_store(store, make_trace):
    """Every decision is taken by exactly one thread, and a reader's cursor misses no trace."""
    seen: list[str] = []
    done = threading.Event()

    def read() -> None:
        after, last = 0, False
        while not last:
            last = done.is_set()
            for trace in store.traces(after=after):
                after = trace.seq
                seen.append(trace.id)
            time.sleep(0.001)  # a loop without a pause would keep the interpreter from the writers

    reader = threading.Thread(target=read)
    reader.start()
    store.database.timeout = 60.0
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda i: store.add_trace(make_trace(i % 40, id=f"x{i}")), range(160)))
    done.set()
    reader.join()
    assert sum(taken) == 40
    assert sorted(seen) == sorted(t.id for t in store.traces())
    assert store.counts()["traces"] == store.counts()["priorities"] == len(seen) == 40


def test_forked_processes_share_a_store(url, make_trace):
    """A store opened before a fork serves both sides; each decision is taken by exactly one process."""
    with Store.open(url, D, timeout=60.0) as store:
        store.add_trace(make_trace(1000))
        children, pipes = [], []
        for offset in range(4):
            readable, writable = os.pipe()
            child = os.fork()
            if child == 0:
                taken = -1
                try:
                    taken = sum(store.add_trace(make_trace(i, id=f"{offset}-{i}")) for i in range(30))
                finally:
                    os.write(writable, str(taken).encode())
                    os._exit(0)
            os.close(writable)
            children.append(child)
            pipes.append(readable)
        for child in children:
            os.waitpid(child, 0)
        taken = [int(os.read(pipe, 20)) for pipe in pipes]
        for pipe in pipes:
            os.close(pipe)
        assert min(taken) >= 0
        assert sum(taken) == 30
        assert store.counts()["traces"] == 31
