"""`shgat monitor`: 0 where nothing fires, 1 where something does, 2 for a mistake."""

import json
from dataclasses import replace

import pytest

from http_server import Process
from monitoring.world import World
from shgat.monitoring import RULES
from shgat.store import Store


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A store with a version, executions and features."""
    url = f"sqlite:///{tmp_path_factory.mktemp('world')}/s.db"
    world = World(url)
    world.people(40)
    world.close()
    return url


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_a_store_is_looked_at_without_any_server(ask, url):
    code, out, err = ask("monitor", "check", "--store", url)
    assert (code, out, err) == (0, "Nothing fires.\n", "")
    code, out, _ = ask("monitor", "check", "--store", url, "--json")
    found = json.loads(out)
    assert (code, found["firing"], found["trouble"]) == (0, [], [])
    (values,) = found["values"].values()
    assert list(values) == [rule.name for rule in RULES]
    assert values["EmbeddingsCollapsed"] > 0.1
    assert values["AnswersSlow"] is None
    code, out, _ = ask("monitor", "check", "--store", url, "--all")
    assert (code, out.count(" ok ")) == (0, sum(v is not None for v in values.values()))


def test_what_fires_is_code_1_and_told_once(ask, url, tmp_path):
    told = tmp_path / "told"
    told.write_text(f'#!/bin/sh\ncat >> "{tmp_path}/alerts"\necho >> "{tmp_path}/alerts"\n')
    told.chmod(0o755)
    command = ["monitor", "check", "--store", url, "--command", told]
    with Store.open(url) as store:
        state, rows = store.feature_state(), list(store.features().values())
        store.put_features([replace(row, computed_at=row.computed_at - 3 * 86400.0) for row in rows], state)
        for _ in range(2):
            code, out, _ = ask(*command)
            assert code == 1
            assert "FeaturesStale" in out
            assert out.endswith("1 alert fires.\n")
        store.put_features(rows, state)
    assert ask(*command)[0] == 0
    posts = [json.loads(line) for line in (tmp_path / "alerts").read_text().splitlines()]
    assert [(p["status"], p["alerts"][0]["labels"]["alertname"]) for p in posts] == [
        ("firing", "FeaturesStale"),
        ("resolved", "FeaturesStale"),
    ]


def test_a_server_is_asked_for_its_figures(ask, tmp_path):
    with Process(tmp_path, "--evaluate-every", "0.2") as server:
        for _ in range(3):
            server.connect().close()
        code, out, err = ask("monitor", "check", "--url", server.url, "--key", server.key, "--json")
        assert (code, err) == (0, "")
        found = json.loads(out)
        assert found["firing"] == []
        (values,) = found["values"].values()
        assert values["Down"] == 1.0
        assert values["StoreUnavailable"] == 1.0
        code, out, err = ask("monitor", "check", "--url", server.url)
        assert code == 1
        assert "it wants a key" in err
        code, out, _ = ask("monitor", "watch", "--url", server.url, "--key", "wrong", "--looks", "2", "--every", "0.2")
        assert code == 0
        assert out.startswith("firing critical Down at 127.0.0.1:")
        assert out.count("\n") == 1


def test_files_for_prometheus(ask, tmp_path):
    code, out, _ = ask("monitor", "export", tmp_path / "w", "--target", "a:1", "--every", "30", "--json")
    assert code == 0
    assert str(tmp_path / "w/prometheus.yml") in json.loads(out)
    assert ask("monitor", "export", tmp_path / "w", "--target", "a:1", "--every", "30")[0] == 0
    code, _, err = ask("monitor", "export", tmp_path / "w")
    assert code == 2
    assert "--force" in err
    assert ask("monitor", "export", tmp_path / "w", "--force")[0] == 0


def test_rules_are_listed(ask):
    code, out, _ = ask("monitor", "rules")
    assert code == 0
    assert all(rule.name in out for rule in RULES)
    assert [r["name"] for r in json.loads(ask("monitor", "rules", "--json")[1])] == [rule.name for rule in RULES]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check"], "give --url"),
        (["check", "--url", "ftp://x"], "the server is at http"),
        (["check", "--store", "sqlite:////nowhere/at/all.db"], "does not exist"),
        (["check", "--store", "sqlite:///nothing.db"], "there is no such store"),
        (["check", "--store", "sqlite:////nowhere/at/all.db", "--url", "http://x"], "--url or --store"),
        (["check", "--url", "http://127.0.0.1:1", "--webhook", "file:///x"], "the webhook is at http"),
        (["check", "--url", "http://127.0.0.1:1", "--command", "/nowhere"], "is no file"),
        (["export", "DIR", "--target", "x"], "HOST:PORT"),
    ],
)
def test_a_mistake_is_code_2_and_one_line(ask, arguments, said, tmp_path):
    code, out, err = ask("monitor", *(str(tmp_path / "d") if a == "DIR" else a for a in arguments))
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
