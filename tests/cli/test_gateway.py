"""`shgat gateway`: a simulation that learns, and what a gateway says of itself."""

import orjson
import pytest

from commands import run
from shgat.serving import Ranker
from shgat.store import Store
from worlds import SAMPLE


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_simulation_for_people():
    done = run("gateway", "simulate", "--seconds", "1")
    assert done.returncode == 0, done.stderr
    assert "frozen cosine" in done.stdout
    assert "Hit@1 at the end" in done.stdout


def test_the_status_is_what_the_ranker_and_its_store_say(ask, sqlite_url, trained):
    with Ranker.open(sqlite_url, SAMPLE, mode="off") as ranker:
        answer = ranker.rank(trained.test.vectors(range(1))[0], 3, text="send it")
        ranker.feedback(answer.decision_id, tools=[answer.ids[0]], outcome=1.0)
        keys = set(ranker.stats())
    code, out, err = ask("gateway", "status", "--store", sqlite_url, "--json")
    assert (code, err) == (0, "")
    found = orjson.loads(out)
    assert set(found) == {"store", "ranker"}
    assert set(found["ranker"]) == keys
    assert found["store"]["rows"]["traces"] == found["store"]["untrained_traces"] == 1
    assert (
        orjson.loads(ask("gateway", "status", "--store", sqlite_url, "--catalog", SAMPLE, "--json")[1])["store"]["rows"]["traces"]
        == 1
    )
    text = ask("gateway", "status", "--store", sqlite_url)[1]
    for key in keys:
        assert f"ranker.{key}" in text or f"\n{key}" in text, key


def test_the_status_of_what_is_not_there_creates_nothing(ask, tmp_path):
    code, out, err = ask("gateway", "status", "--store", f"sqlite:///{tmp_path}/none.db")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "no such store" in err
    Store.open(f"sqlite:///{tmp_path}/bare.db", 384).close()
    code, out, err = ask("gateway", "status", "--store", f"sqlite:///{tmp_path}/bare.db")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "holds no catalogue yet: give --catalog DIR" in err
    assert ask("gateway", "status", "--store", f"sqlite:///{tmp_path}/bare.db", "--catalog", SAMPLE)[0] == 0


def test_a_team_is_looked_at_and_set_back_from_outside(ask, sqlite_url, trained):
    with Ranker.open(sqlite_url, SAMPLE, mode="off") as ranker:
        for x in trained.test.vectors(range(30)):
            key = ranker.rank(x, 3, principal="team a").decision_id
            ranker.feedback(key, tools=["chat.post_message"], outcome=1.0)
    command = ("gateway", "principal", "team a", "--store", sqlite_url)
    found = orjson.loads(ask(*command, "--json")[1])
    assert (found["executions"], found["mode"], found["moves"]) == (30, "gated", [])
    assert found["gate"]["n"] == 30
    code, out, err = ask(*command, "--pin", "off", "--why", "a flood", "--who", "ann")
    assert (code, err) == (0, "")
    assert "ann" in out
    assert "a flood" in out
    assert orjson.loads(ask(*command, "--reset", "--json")[1])["executions"] == 0
    found = orjson.loads(ask(*command, "--undo", "--json")[1])
    assert (found["executions"], found["mode"], [m["action"] for m in found["moves"]]) == (30, "off", ["pin", "reset", "undo"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--pin", "sometimes"), "gated, on, off"),
        (("--reset", "--undo"), "one at a time"),
        (("--pin", "on", "--reset"), "one at a time"),
    ],
)
def test_what_cannot_be_decided_of_a_team_is_refused_before_anything_is_opened(ask, tmp_path, options, said):
    code, out, err = ask("gateway", "principal", "a", "--store", f"sqlite:///{tmp_path}/none.db", *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert not (tmp_path / "none.db").exists()


def test_a_simulation_on_a_store_that_is_away_does_not_wait_for_it(ask):
    code, out, err = ask("gateway", "simulate", "--seconds", "1", "--url", "postgresql+psycopg://u:secret@127.0.0.1:1/x")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "secret" not in err
