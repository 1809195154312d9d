"""Every fault that is seeded raises its alert, and no other one, within two evaluations; and it clears after."""

import time

import pytest

from monitoring.world import FAULTS

LONG = ("slow_store",)


def names(monitor):
    monitor.look()
    return [alert.name for alert in monitor.firing]


def test_nothing_fires_where_nothing_is_wrong(world, monitor):
    for _ in range(3):
        world.people(5)
        assert names(monitor) == []


@pytest.mark.parametrize("fault", [pytest.param(f, marks=pytest.mark.slow) if f in LONG else f for f in FAULTS])
def test_each_fault_raises_exactly_its_alert_and_clears(world, monitor, fault):
    world.people(25)
    assert names(monitor) == []
    with getattr(world, fault)():
        first = names(monitor)
        time.sleep(monitor.settings.every)
        second = names(monitor)
        assert first in ([], second)
        assert second == [FAULTS[fault]]
    assert names(monitor) == []
    ended = monitor.to_dict()["ended"]
    assert [(a["name"], a["state"]) for a in ended] == [(FAULTS[fault], "resolved")]
    assert ended[0]["since"] < ended[0]["until"]
