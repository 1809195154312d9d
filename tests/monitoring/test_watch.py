import json

import pytest

from shgat.errors import InputError, RemoteError
from shgat.monitoring.measures import key
from shgat.monitoring.quantities import Gauge, Share
from shgat.monitoring.rules import Rule
from shgat.monitoring.watch import Watch

HOT = Rule("Hot", "critical", Gauge("heat"), ">", 1.0, "It is hot.", "Cool it.")
FAILS = Rule("Fails", "warning", Share("s", "n_total", "n_total", {"ok": "no"}, least=10), ">", 0.5, "It fails.", "Mend it.")


class Source:
    """Gives what it is told."""

    target, trouble = "there", ""

    def __init__(self, *samples):
        self.samples = list(samples)

    def look(self):
        return self.samples.pop(0)

    def close(self):
        pass


class Receiver:
    def __init__(self):
        self.told, self.deaf = [], False

    def tell(self, alerts):
        if self.deaf:
            raise RemoteError("nobody is there")
        self.told.append([(a.name, a.state) for a in alerts])


@pytest.fixture
def now():
    return [0.0]


def watch(now, *samples, state=None, receivers=()):
    return Watch([Source(*samples)], receivers, 60.0, state=state, rules=[HOT, FAILS], clock=lambda: now[0])


def heat(x):
    return {key("heat"): x}


def test_receivers_are_told_once_and_what_they_missed_later(now):
    receiver = Receiver()
    watching = watch(now, heat(2.0), heat(3.0), heat(0.0), heat(2.0), receivers=[receiver])
    watching.look()
    now[0] = 10.0
    watching.look()
    assert receiver.told == [[("Hot", "firing")]]
    receiver.deaf = True
    now[0] = 20.0
    watching.look()
    assert watching.trouble == ("nobody is there",)
    receiver.deaf = False
    now[0] = 30.0
    watching.look()
    assert receiver.told[1:] == [[("Hot", "resolved"), ("Hot", "firing")]]
    assert watching.trouble == ()
    assert [(a.name, a.until) for a in watching.ended] == [("Hot", 20.0)]


def test_a_look_of_another_process_goes_on_from_the_last(now, tmp_path):
    state, receiver = tmp_path / "deep/state.json", Receiver()
    n = lambda ok, no: {key("n_total", ok="yes"): ok, key("n_total", ok="no"): no, **heat(2.0)}  # noqa: E731
    watch(now, n(100.0, 0.0), state=state, receivers=[receiver]).look()
    now[0] = 30.0
    later = watch(now, n(105.0, 20.0), state=state, receivers=[receiver])
    later.look()
    assert [a.name for a in later.firing] == ["Hot", "Fails"]
    assert later.firing[0].since == 0.0
    assert receiver.told == [[("Hot", "firing")], [("Fails", "firing")]]
    assert later.values()["there"] == {"Hot": 2.0, "Fails": 0.8}
    assert state.stat().st_mode & 0o077 == 0 or state.parent.stat().st_mode & 0o077 == 0


def test_what_could_not_be_told_is_told_by_the_next_process(now, tmp_path):
    state, receiver = tmp_path / "state.json", Receiver()
    receiver.deaf = True
    watch(now, heat(2.0), state=state, receivers=[receiver]).look()
    receiver.deaf = False
    now[0] = 5.0
    watch(now, heat(2.0), state=state, receivers=[receiver]).look()
    assert receiver.told == [[("Hot", "firing")]]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"targets": {"there": 3}}', json.dumps({"targets": {}}).encode()])
def test_a_state_that_is_none_is_refused(now, tmp_path, content):
    state = tmp_path / "state.json"
    state.write_bytes(content)
    with pytest.raises(InputError, match="is no state of the monitor: remove it"):
        watch(now, state=state)
