"""The monitor of a ranker: what it says, whom it tells, and that it breaks nothing."""

import time

import pytest

from shgat.errors import RemoteError
from shgat.monitoring import Monitor, MonitorSettings


class Receiver:
    def __init__(self):
        self.told = []

    def tell(self, alerts):
        self.told += [(a.name, a.state) for a in alerts]
        if len(self.told) == 1:
            raise RemoteError("nobody is there")


def until(what):
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_looks_by_itself_and_says_how_far_each_rule_is(world):
    monitor = Monitor(world.ranker, world.url, settings=MonitorSettings(every=0.05))
    monitor.start()
    monitor.start()
    until(lambda: monitor.to_dict()["rules"][0]["value"] == 1.0)
    found = monitor.to_dict()
    assert (found["firing"], found["ended"], found["trouble"]) == ([], [], "")
    by_name = {r["name"]: r for r in found["rules"]}
    assert 0.1 < by_name["EmbeddingsCollapsed"]["value"] <= 1.0
    assert by_name["ErrorsHigh"]["value"] is None  # nobody serves it over HTTP
    monitor.stop()
    monitor.stop()


def test_a_receiver_that_is_not_there_is_told_at_the_next_look(world, monitor):
    receiver = Receiver()
    monitor = Monitor(world.ranker, world.url, receivers=[receiver])
    monitor.look()
    with world.stale_features():
        monitor.look()
        assert monitor.trouble == "nobody is there"
    monitor.look()
    assert receiver.told == [("FeaturesStale", "firing"), ("FeaturesStale", "firing"), ("FeaturesStale", "resolved")]
    assert monitor.trouble == ""
    monitor.stop()


def test_a_store_that_goes_away_is_an_alert_and_no_end(world, tmp_path):
    monitor = Monitor(world.ranker, f"sqlite:///{tmp_path}/s.db")
    monitor.look()  # it is made, and empty
    monitor.stop()
    (tmp_path / "s.db").write_bytes(b"no database at all, none, never" * 100)
    monitor.look()
    assert [a.name for a in monitor.firing] == ["StoreUnavailable"]
    assert "cannot be read" in monitor.trouble
    monitor.stop()


def test_settings_are_checked():
    with pytest.raises(ValueError, match="every"):
        MonitorSettings(every=0.0)
