"""Killed at every step, and run again: the same end, and nothing twice. Run by hand and at night: pytest -m slow."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipeline import town
from shgat.pipeline import STEPS, Runs
from shgat.registry import StoreRegistry
from shgat.store import Store

pytestmark = pytest.mark.slow

WRITTEN = 1 + 2 * len(STEPS)  # times that a run writes its journal: when it is begun, and before and after each step
CONFIG = 'store = "env:TOWN_URL"\n[evaluation]\nprotocols = []\n[canary]\npercent = 10.0\nduration = "10m"\nleast = 0\nleast_executed = 0\n'


@pytest.fixture
def place(tmp_path):
    (tmp_path / "pipeline.toml").write_text(CONFIG)
    (tmp_path / "written").write_text("0")
    (tmp_path / "ahead").write_text("0")
    return tmp_path


def live(folder: Path, url: str, point: str) -> "subprocess.CompletedProcess[str]":
    """One life of a pipeline; later ones begin when the lock of the one before has ended by its clock."""
    ahead = float((folder / "ahead").read_text())
    (folder / "ahead").write_text(str(ahead + 10.0))
    command = [sys.executable, str(Path(__file__).with_name("killed.py")), str(folder), point]
    env = {"PATH": "/usr/bin:/bin", "TOWN_URL": url, "HOME": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=env)


def assert_once(url: str, folder: Path) -> None:
    """One run that learned something, one version, one canary, one promotion."""
    with Store.open(url) as store:
        registry = StoreRegistry(store)
        assert [v.number for v in registry.versions()] == [1]
        assert registry.aliases() == {"production": 1}
        moves = [(m.alias, m.number, m.before, m.after, m.action) for m in reversed(store.moves())]
        assert moves == [("canary", 1, None, 1, "assign"), ("canary", 2, 1, None, "clear"), ("production", 1, None, 1, "promote")]
        assert store.claim("somebody", "shgat: pipeline of local")  # the lock is free
    runs = [run for run in Runs(folder / "pipeline-runs", time.time).all() if run.status != "unchanged"]
    assert [(run.status, list(run.steps)) for run in runs] == [("promoted", list(STEPS))]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("n", range(1, WRITTEN + 1))
def test_killed_once(place, sqlite_url, prepared, n, when):
    town.fill(sqlite_url, town.lived(np.random.default_rng(1), 200))
    first = live(place, sqlite_url, f"{n} {when}")
    assert first.returncode == -signal.SIGKILL, first.stderr
    again = live(place, sqlite_url, "-")
    assert again.returncode == 0, again.stderr
    ended = (n, when) == (WRITTEN, "after")  # nothing is new then
    assert again.stdout.endswith(" unchanged\n" if ended else " promoted\n")
    assert_once(sqlite_url, place)


def test_killed_at_every_point_of_one_run(place, url):
    """Each step is killed when it has worked, before that is written down, and in the next life after it is; on both databases."""
    town.fill(url, town.lived(np.random.default_rng(1), 200))
    runs, lives = Runs(place / "pipeline-runs", time.time), 0
    while (latest := runs.latest()) is None or latest.status == "open":
        written = int((place / "written").read_text())
        found = live(place, url, f"{written + 2} {'after' if lives % 2 else 'before'}")
        assert found.returncode == -signal.SIGKILL, found.stderr
        lives += 1
        assert lives < 50
    assert lives >= 2 * len(STEPS)
    assert live(place, url, "-").stdout.endswith(" unchanged\n")
    assert_once(url, place)


def test_the_lock_of_one_that_was_killed_ends_by_itself(place, url, rng):
    """By the real clock: SIGKILL while it watches its canary, and the command again at once."""
    town.fill(url, town.lived(rng, 200))
    (place / "pipeline.toml").write_text(CONFIG.replace('"10m"', '"4s"'))
    command = [sys.executable, "-m", "shgat", "pipeline", "run", "--config", str(place / "pipeline.toml")]
    env = {"PATH": "/usr/bin:/bin", "TOWN_URL": url, "HOME": str(place)}
    with Store.open(url) as store:
        first = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while "canary" not in store.aliases():
            assert time.monotonic() < until
            time.sleep(0.05)
        first.kill()
        first.wait()
        again = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 0, again.stderr
    assert_once(url, place)
