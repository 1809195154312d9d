"""`shgat pipeline`: 0 done, 1 refused by a gate, 2 a mistake; the steps one by one, and all at once."""

import json

import numpy as np
import pytest

from pipeline import town

STEPS = ("validate-data", "train", "evaluate", "compare", "register", "canary", "promote")


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A pipeline over a town's store with 200 traces of its habit."""
    town.fill(f"sqlite:///{tmp_path}/town.db", town.lived(np.random.default_rng(1), 200))
    monkeypatch.setenv("TOWN_URL", f"sqlite:///{tmp_path}/town.db")
    path = tmp_path / "pipeline.toml"
    path.write_text('store = "env:TOWN_URL"\n[evaluation]\nprotocols = ["holdout"]\n[canary]\npercent = 0\n')
    return path


def test_every_step_is_a_command(ask, config, tmp_path):
    for name in STEPS:
        code, out, _ = ask("pipeline", name, "--config", config, "--json")
        found = json.loads(out)
        assert (code, found["step"]) == (0, name)
    assert (found["status"], found["facts"]["version"]) == ("done", 1)
    code, out, _ = ask("pipeline", "status", "--config", config, "--json", "--report", tmp_path / "page.html")
    found = json.loads(out)
    assert (code, found["run"]["status"], list(found["run"]["steps"])) == (0, "promoted", list(STEPS))
    assert "<h1>Pipeline: promoted</h1>" in (tmp_path / "page.html").read_text()
    code, out, said = ask("pipeline", "run", "--config", config)
    assert code == 0
    assert "nothing is new since run" in out
    assert "validate-data done" in said
    code, out, _ = ask("pipeline", "status", "--config", config)
    assert out.count("promoted") == 2
    code, out, _ = ask("pipeline", "status", "--config", config, "--run", found["run"]["id"])
    assert "v1 serves in place of nothing" in out


def test_a_gate_that_says_no_is_code_1(ask, config):
    config.write_text(config.read_text() + '[gate]\nfloors = {"recall@5" = 0.99}\n')
    code, out, said = ask("pipeline", "run", "--config", config)
    assert code == 1
    assert "refused, recall@5 is 0." in out
    assert "compare refused: recall@5" in said
    assert ask("pipeline", "register", "--config", config, "--quiet")[::2] == (1, "")  # the run has ended
    code, out, _ = ask("pipeline", "run", "--config", config, "--json", "--quiet")
    assert (code, json.loads(out)["status"]) == (0, "unchanged")


def test_a_dry_run_touches_nothing(ask, config, tmp_path):
    code, out, said = ask("pipeline", "run", "--config", config, "--dry-run", "--json")
    assert (code, said) == (0, "")
    found = json.loads(out)
    assert found["dry_run"]
    assert [s["step"] for s in found["steps"]] == list(STEPS)
    assert not (tmp_path / "pipeline-runs").exists()
    code, out, _ = ask("pipeline", "train", "--config", config, "--dry-run")
    assert code == 0
    assert "in a child process, from scratch" in out
    assert "validate-data" not in out


@pytest.mark.slow
def test_there_is_a_way_back(ask, config):
    assert ask("pipeline", "run", "--config", config, "--quiet")[0] == 0
    config.write_text(config.read_text() + "[training]\nseed = 3\n")
    assert ask("pipeline", "run", "--config", config, "--quiet")[0] == 0
    code, out, _ = ask("pipeline", "rollback", "--config", config, "--who", "ann", "--why", "complaints", "--json")
    assert (code, json.loads(out)["status"]) == (0, "rolled back")
    assert ask("models", "show", "production", "--url", f"sqlite:///{config.parent}/town.db", "--json")[1].count('"rollback"') == 1
    code, _, said = ask("pipeline", "rollback", "--config", config)
    assert code == 2
    assert "nothing of run" in said


def test_an_example_to_begin_with(ask, tmp_path):
    path = tmp_path / "p.toml"
    assert ask("pipeline", "init", "--config", path)[:2] == (0, "")
    assert ask("pipeline", "init", "--config", path)[0] == 2
    code, _, said = ask("pipeline", "run", "--config", path)
    assert code == 2
    assert "'SHGAT_STORE_URL' is not set" in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('store = "env:TOWN_URL"\n[canary]\npercnt = 5\n', "did you mean 'percent'?"),
        ('store = "postgresql://me:s3cr3t@nowhere/x"\n', "a password is no part of this file"),
        ('store = "sqlite:////nowhere/town.db"\n', "/nowhere"),
        ("store =", "is no TOML"),
    ],
)
def test_a_mistake_is_code_2_and_one_line(ask, tmp_path, content, says):
    path = tmp_path / "p.toml"
    path.write_text(content)
    code, out, said = ask("pipeline", "run", "--config", path)
    assert (code, out) == (2, "")
    assert says in said
    assert "s3cr3t" not in said
    assert len(said.splitlines()) == 1


def test_no_run_yet(ask, config):
    code, _, said = ask("pipeline", "status", "--config", config)
    assert code == 2
    assert "there is no run yet" in said
    code, _, said = ask("pipeline", "train", "--config", config)
    assert code == 2
    assert "shgat pipeline validate-data" in said
