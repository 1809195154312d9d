"""Processes that do jobs: they come back, they are killed, they end."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import orjson
import pytest

from processes import children as pids
from shgat.progressive.children import Children, Inline
from shgat.progressive.disk import Disk
from shgat.progressive.job import Task


def task(place, part, **more):
    options = {"most": 10**8, "clone_most": 10**8, "timeout": 30.0, "tries": 1, "backoff": 0.0, **more}
    return Task(str(place), "k" * 16, "n", str(part), "", **options)


@pytest.fixture
def workers():
    found = Children(2)
    yield found
    found.close()


def test_the_same_outcomes_as_in_this_process(workers, three, tmp_path):
    waiting = [workers.submit(task(p, tmp_path / f"{i}.part")) for i, p in enumerate(three)]
    inline = [Inline(Disk()).submit(task(p, tmp_path / f"{i}.inline")) for i, p in enumerate(three)]
    for there, here in zip(waiting, inline, strict=True):
        assert there().extracted == here().extracted
    for i in range(3):
        assert (tmp_path / f"{i}.part").read_bytes() == (tmp_path / f"{i}.inline").read_bytes()


def test_one_that_is_killed_is_an_outcome_and_another_takes_its_place(workers, three, tmp_path):
    before = set(pids())
    assert workers.submit(task(three[0], tmp_path / "0.part"))().status == "read"
    (pid,) = set(pids()) - before
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.05)
    outcomes = [workers.submit(task(three[0], tmp_path / "1.part"))() for _ in range(3)]
    assert [o.status for o in outcomes].count("read") >= 2
    assert all(o.status == "read" or "ended with -9" in o.reason for o in outcomes)


def test_closing_ends_what_is_running(three, tmp_path):
    found = Children(1)
    before = set(pids())
    found.submit(task(three[0], tmp_path / "0.part"))()
    started = set(pids()) - before
    assert len(started) == 1
    found.close()
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)
    assert found.submit


def test_told_to_stop_nobody_waits(tmp_path, planted):
    stopped = threading.Event()
    found = Children(1, stopped)
    try:
        waiting = found.submit(task("/nowhere", tmp_path / "0.part"))
        stopped.set()
        assert waiting().status == "failed"
        done = found.submit(task(planted.path, tmp_path / "1.part"))
        assert done().reason == "it was told to end"
    finally:
        found.close()


def test_one_whose_parent_has_ended_before_it_began_does_nothing(tmp_path, three):
    work = orjson.dumps({"task": asdict(task(three[0], tmp_path / "0.part"))}) + b"\n"
    command = [sys.executable, "-c", "from shgat.progressive.children import serve; serve(1)"]
    done = subprocess.run(command, input=work, capture_output=True, check=True)
    assert done.stdout == b""
    assert list(tmp_path.iterdir()) == []


def test_one_whose_parent_is_killed_ends(tmp_path):
    script = "from shgat.progressive.children import Children; c = Children(1); p = c._all[0]._started(); print(p.pid, flush=True); input()"
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert time.monotonic() < deadline
