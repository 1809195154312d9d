import pytest

from monitoring.world import LATEST, World
from shgat.monitoring import FactSettings, Monitor, MonitorSettings


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(f"sqlite:///{tmp_path_factory.mktemp('world')}/s.db")
    world.people(LATEST)
    yield world
    world.close()


@pytest.fixture
def monitor(world):
    facts = FactSettings(drift_every=0.0, drift_latest=LATEST)
    monitor = Monitor(world.ranker, world.url, settings=MonitorSettings(every=0.5, window=300.0, facts=facts))
    yield monitor
    monitor.stop()
