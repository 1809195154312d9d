"""Runs in a folder: of killed processes, of several at once, and damaged ones."""

import os
import signal
import subprocess
import sys

import orjson
import pytest

from shgat.errors import TrackingError
from shgat.tracking import FolderTracker

CHILD = """
import sys, time
from shgat.tracking import FolderTracker
run = FolderTracker(sys.argv[1]).run("killed")
for step in range(5):
    run.log({"loss": 1.0 / (step + 1)}, step)
time.sleep(0.3)
print(run.id, flush=True)
time.sleep(60)
"""


def test_a_run_of_a_process_that_was_killed_is_killed_and_has_what_was_written(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    run_id = child.stdout.readline().strip()
    tracker = FolderTracker(tmp_path)
    assert tracker.find(run_id).status == "running"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert tracker.find(run_id).status == "killed"
    assert [p.step for p in tracker.points(run_id)] == [0, 1, 2, 3, 4]


def test_a_run_elsewhere_is_killed_when_it_has_been_silent_for_a_day(tmp_path):
    now = [1e9]
    tracker = FolderTracker(tmp_path, clock=lambda: now[0])
    run = tracker.run("elsewhere")
    path = tmp_path / run.id / "run.json"
    value = orjson.loads(path.read_bytes())
    value["tags"]["host"] = "another machine"
    path.write_bytes(orjson.dumps(value))
    os.utime(path, (1e9, 1e9))
    assert tracker.find(run.id).status == "running"
    now[0] += 2 * 86_400.0
    assert tracker.find(run.id).status == "killed"
    run.end()


def test_the_line_that_a_killed_process_was_writing_is_left_out(tmp_path):
    tracker = FolderTracker(tmp_path)
    with tracker.run("torn") as run:
        run.log({"a": 1.0}, 1)
    with (tmp_path / run.id / "metrics.jsonl").open("ab") as file:
        file.write(b'{"name":"a","val')
    assert [p.value for p in tracker.points(run.id)] == [1.0]


def test_a_damaged_run_is_named_with_its_remedy(tmp_path):
    tracker = FolderTracker(tmp_path)
    with tracker.run("damaged") as run:
        pass
    (tmp_path / run.id / "run.json").write_bytes(b"{}")
    with pytest.raises(TrackingError, match=r"is no run: .*; remove the folder"):
        tracker.runs()


def test_a_place_that_is_no_folder_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrackingError, match="cannot keep runs in"):
        FolderTracker(tmp_path / "file").run("x")
    assert FolderTracker(tmp_path / "not there yet").runs() == []


def test_a_beginning_that_several_have_is_not_enough(tmp_path):
    tracker = FolderTracker(tmp_path)
    for name in ("ab1", "ab2"):
        with tracker.run("x") as run:
            pass
        (tmp_path / run.id).rename(tmp_path / name)
    with pytest.raises(TrackingError, match="2 runs begin with 'ab'"):
        tracker.find("ab")
