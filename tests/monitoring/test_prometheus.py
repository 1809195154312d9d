"""The exported files before the real Prometheus, Alertmanager and their tools: the same faults, the same alerts, told and taken back."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager

import pytest

from listening import Listening
from monitoring.world import FAULTS
from processes import free_port
from shgat.monitoring.dashboard import expressions
from shgat.monitoring.export import ExportSettings, export

PROMETHEUS, ALERTMANAGER = shutil.which("prometheus"), shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
PROMTOOL, AMTOOL = shutil.which("promtool"), shutil.which("amtool")
EVERY = 2.0  # seconds between evaluations


@contextmanager
def running(command, log):
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def ask(port, path, **query):
    url = f"http://127.0.0.1:{port}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())


def until(what, seconds, said=""):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, said or what
        time.sleep(0.1)


class Real:
    """Prometheus and Alertmanager over one target."""

    def __init__(self, port, told):
        self.port, self._told = port, told

    @property
    def alerts(self):
        """What Alertmanager has told."""
        return [json.loads(body) for _, _, body in self._told.asked]

    def firing(self):
        found = ask(self.port, "/api/v1/alerts")["data"]["alerts"]
        return {a["labels"]["alertname"] for a in found if a["state"] == "firing"}

    def until_fires(self, alert, seen):
        """Two evaluations, and what it takes to look and to scrape; `seen` is what fired meanwhile."""
        until(lambda: seen.update(self.firing()) or alert in seen, 3 * EVERY + 4.0, alert)


@pytest.fixture
def real(monitor, tmp_path):
    monitor.start()
    with Listening(get=lambda: (200, monitor.exposition.text())) as target, Listening() as told:
        port, manager = free_port(), free_port()
        settings = ExportSettings(
            targets=[f"127.0.0.1:{target.port}"], every=EVERY, window=60.0, webhook=f"{told.url}/", alertmanager=f"127.0.0.1:{manager}",
        )  # fmt: skip
        export(tmp_path, settings)
        (tmp_path / "key").write_text("none\n")
        prometheus = [
            PROMETHEUS, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ]  # fmt: skip
        alertmanager = [
            ALERTMANAGER, f"--config.file={tmp_path}/alertmanager.yml", f"--storage.path={tmp_path}/alerts",
            f"--web.listen-address=127.0.0.1:{manager}", "--cluster.listen-address=",
        ]  # fmt: skip
        with running(alertmanager, tmp_path / "alertmanager.log"), running(prometheus, tmp_path / "prometheus.log"):
            until(lambda: _answers(port), 30, (tmp_path / "prometheus.log").read_text())
            until(lambda: ask(port, "/api/v1/query", query='up{job="shgat"} == 1')["data"]["result"], 30)
            yield Real(port, told)
    monitor.stop()


def _answers(port):
    try:
        return ask(port, "/api/v1/status/config")["status"] == "success"
    except OSError:
        return False


needs_servers = pytest.mark.skipif(not (PROMETHEUS and ALERTMANAGER), reason="apt-get install prometheus prometheus-alertmanager")


@pytest.mark.slow
@needs_servers
@pytest.mark.timeout(600)
def test_each_fault_raises_exactly_its_alert_in_prometheus_and_clears(world, real):
    world.people(60)
    time.sleep(2 * EVERY)
    assert real.firing() == set()
    took = {}
    for fault, alert in FAULTS.items():
        seen = set()
        with getattr(world, fault)():
            began = time.monotonic()
            real.until_fires(alert, seen)
            took[fault] = time.monotonic() - began
            time.sleep(EVERY)
            assert real.firing() == {alert}, fault
        until(lambda: not real.firing(), 6 * EVERY + 10.0, f"after {fault}")
        assert seen == {alert}
    print(took)
    told = lambda status: {a["labels"]["alertname"] for post in real.alerts for a in post["alerts"] if a["status"] == status}  # noqa: E731
    until(lambda: told("resolved") == set(FAULTS.values()), 60, real.alerts)
    assert told("firing") == set(FAULTS.values())
    for post in real.alerts:
        for a in post["alerts"]:
            assert set(a["annotations"]) == {"summary", "remedy", "value"}


@pytest.mark.slow
@needs_servers
def test_each_query_of_the_dashboard_finds_something(world, real):
    world.people(60)
    time.sleep(3 * EVERY)
    world.people(60)
    time.sleep(3 * EVERY)
    empty = []
    for query in expressions("shgat", ".*", "30s"):
        found = ask(real.port, "/api/v1/query", query=query)
        assert found["status"] == "success", query
        if not found["data"]["result"]:
            empty.append(query)
    assert [q for q in empty if "http" not in q] == []  # the ranker is not served over HTTP here


@pytest.mark.skipif(not (PROMTOOL and AMTOOL), reason="apt-get install prometheus prometheus-alertmanager")
def test_their_own_tools_take_the_files(tmp_path):
    export(tmp_path, ExportSettings(webhook="http://127.0.0.1:1/", targets=("a:1", "b:2")))
    (tmp_path / "key").write_text("none\n")
    for command in (
        [PROMTOOL, "check", "config", tmp_path / "prometheus.yml"],
        [PROMTOOL, "check", "rules", tmp_path / "rules/shgat.rules.yml"],
        [AMTOOL, "check-config", tmp_path / "alertmanager.yml"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
