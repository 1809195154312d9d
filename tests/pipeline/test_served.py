"""The whole pipeline by its command, beside a gateway that is served and people who use it over HTTP; nothing is shared but the store."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from http_server import Process
from pipeline import town
from shgat.client import Client
from shgat.registry import StoreRegistry
from shgat.store import Store

pytestmark = pytest.mark.slow

CONFIG = """
store = "env:TOWN_URL"
[evaluation]
temporal_train = "8d"
[canary]
percent = 50.0
duration = "12s"
least = 20
least_executed = 20
"""


class People:
    """They ask and tell, from a thread, until they are stopped."""

    def __init__(self, client, works):
        self.client, self.works, self.found = client, works, []
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._live)

    def _live(self):
        rng, n = np.random.default_rng(5), 0
        while not self._stop.wait(0.02):
            (a,) = town.asked(rng, 1)
            n += 1
            answer = self.client.rank(a.embedding, 5, text=a.text, session=f"s{n}")
            ids = [item.id for item in answer.items]
            well = town.content(ids, a, self.works)
            self.client.feedback(answer, [f"t{self.works(a.wish)}" if well else ids[0]], outcome=well)
            self.found.append((answer.model_version, well))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join()


@contextmanager
def served(folder, url, works):
    """A gateway over the town's store with the former habit's model in production, and people who live by another one."""
    town.serve_former(url)
    town.catalog().save(folder / "catalogue")
    options = ["--store", url, "--catalog", str(folder / "catalogue"), "--mode", "off", "--no-access-log"]
    with (
        Process(folder, *options, catalog=False) as server,
        Client(server.url, server.key) as client,
        People(client, works) as people,
    ):
        yield people


def pipeline(folder, url, *arguments):
    """(exit code, what it says)"""
    (folder / "pipeline.toml").write_text(CONFIG)
    command = [sys.executable, "-m", "shgat", "pipeline", *arguments, "--config", str(folder / "pipeline.toml"), "--json"]
    env = {**os.environ, "TOWN_URL": url}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=env)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def until_serves(people, name, n=20):
    """Waits until a version alone has answered the last n people."""
    deadline, begun = time.monotonic() + 20, len(people.found)
    while len(people.found) < begun + n or {version for version, _ in people.found[-n:]} != {name}:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def share(found, version):
    """How many answers of a version were good."""
    return float(np.mean([well for name, well in found if name == version]))


def test_a_better_model_reaches_production_by_itself(url, tmp_path, rng):
    town.fill(url, town.lived(rng, 200))
    with served(tmp_path, url, town.good) as people:
        code, run = pipeline(tmp_path, url, "run")
        assert (code, run["status"], run["reason"]) == (0, "promoted", "v2 serves in place of v1")
        until_serves(people, "v2")
    assert {"v1", "v2"} <= {name for name, _ in people.found}
    assert share(people.found, "v1") < 0.3
    assert share(people.found, "v2") > 0.6
    assert run["steps"]["canary"]["facts"]["who"] == "guardrails"


def test_a_worse_model_never_gets_past_its_gate(url, tmp_path, rng):
    """A log whose labels were shuffled alike: training believes it, the days that were held out do not."""
    town.fill(url, [*town.lived(rng, 200, lambda w: town.WISHES + (w + 3) % town.WISHES, end=-2.0, name="w"),
                    *town.lived(rng, 60, town.former, begin=-1.9, name="g")])  # fmt: skip
    with served(tmp_path, url, town.former) as people:
        code, run = pipeline(tmp_path, url, "run")
        assert (code, run["status"]) == (1, "refused")
        assert list(run["steps"])[-1] in ("evaluate", "compare")
        time.sleep(2.5)  # a gateway looks every two seconds
    assert {name for name, _ in people.found} == {"v1"}
    with Store.open(url) as store:
        assert len(store.model_versions()) == 1
        assert [m.who for m in store.moves()] == ["ann"]


def test_one_that_is_fine_off_line_and_bad_on_line_is_rolled_back(url, tmp_path, rng):
    town.fill(url, town.lived(rng, 200))
    with served(tmp_path, url, town.former) as people:
        code, run = pipeline(tmp_path, url, "run")
        assert (code, run["status"]) == (1, "rolled back")
        assert run["reason"] == "v2 is worse than production: success rate"
        until_serves(people, "v1", 60)
    assert share(people.found, "v2") < 0.5 < share(people.found, "v1")
    facts = run["steps"]["canary"]["facts"]
    assert facts["seconds"] < 12.0
    assert facts["guardrails"]["success rate"]["p_value"] <= 0.04
    with Store.open(url) as store:
        assert StoreRegistry(store).aliases() == {"production": 1}
        assert [(m.alias, m.who) for m in reversed(store.moves())] == [
            ("production", "ann"),
            ("canary", "pipeline"),
            ("canary", "guardrails"),
        ]
