"""`shgat gateway simulate` and `shgat worker`, as commands."""

import subprocess
import sys

import orjson


def shgat(*arguments, stdin=b""):
    command = [sys.executable, "-m", "shgat", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=120, check=False)


def test_a_simulation_learns_in_bounded_time():
    done = shgat("gateway", "simulate", "--seconds", "6", "--json")
    assert done.returncode == 0, done.stderr
    found = orjson.loads(done.stdout)
    assert len(found["windows"]) == 12
    assert [w["drifted"] for w in found["windows"]] == [False] * 6 + [True] * 6
    assert found["intents"] == sum(w["intents"] for w in found["windows"]) > 50
    assert found["trainings"]["failed"] == 0
    assert found["trainings"]["accepted"] >= 1
    assert found["model_version"] != "untrained"


def test_a_simulation_for_people():
    done = shgat("gateway", "simulate", "--seconds", "1")
    assert done.returncode == 0, done.stderr
    assert b"frozen cosine" in done.stdout
    assert b"Hit@1 at the end" in done.stdout


def test_the_worker_is_listed_and_answers():
    assert b"worker" in shgat("--help").stdout
    done = shgat("worker", stdin=b"{}")
    assert done.returncode == 1
    assert orjson.loads(done.stdout)["success"] is False
