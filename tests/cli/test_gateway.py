"""`shgat gateway simulate`."""

import orjson

from commands import run


def test_a_simulation_learns_in_bounded_time():
    done = run("gateway", "simulate", "--seconds", "6", "--json")
    assert done.returncode == 0, done.stderr
    found = orjson.loads(done.stdout)
    assert len(found["windows"]) == 12
    assert [w["drifted"] for w in found["windows"]] == [False] * 6 + [True] * 6
    assert found["intents"] == sum(w["intents"] for w in found["windows"]) > 50
    assert found["trainings"]["failed"] == 0
    assert found["trainings"]["accepted"] >= 1
    assert found["model_version"] != "untrained"


def test_a_simulation_for_people():
    done = run("gateway", "simulate", "--seconds", "1")
    assert done.returncode == 0, done.stderr
    assert "frozen cosine" in done.stdout
    assert "Hit@1 at the end" in done.stdout
