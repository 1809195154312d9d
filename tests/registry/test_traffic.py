"""Traffic follows the aliases of the store: a canary answers some sessions, a shadow none, and a worse canary is taken away."""

import numpy as np
import pytest

from people import until
from registry.conftest import model
from shgat.registry import ServedVersion, Slots, StoreRegistry, Terms, Traffic, Versions
from worlds import catalog


@pytest.fixture
def registry(store, files):
    found = StoreRegistry(store)
    for data in files[:3]:
        found.add(data, {})
    found.move("production", 1)
    return found


@pytest.fixture
def now():
    return [100.0]


@pytest.fixture
def traffic(store, now):
    traffic = Traffic(Slots(ServedVersion("v1", 1, model(0))), Versions(catalog(), "local"), lambda: now[0])
    yield traffic
    traffic.close()


def share(traffic, n=2000):
    names = [traffic.of(f"s{i}", traffic.slots.production).name for i in range(n)]
    return {name: names.count(name) / n for name in sorted(set(names))}


def test_a_canary_answers_its_sessions_until_its_time_is_over(registry, store, traffic, now):
    traffic.follow(store)
    assert (share(traffic), traffic.stats()) == ({"v1": 1.0}, {"canary": None, "shadow": None})
    registry.move("canary", 2, terms=Terms(percent=20.0, until=200.0).to_dict())
    traffic.follow(store)
    assert share(traffic)["v2"] == pytest.approx(0.2, abs=0.03)
    assert traffic.of(None, traffic.slots.production).name == "v1"
    assert traffic.stats()["canary"]["version"] == "v2"
    now[0] = 200.0
    assert share(traffic) == {"v1": 1.0}
    traffic.follow(store)
    assert registry.aliases() == {"production": 1}
    (move,) = registry.moves("canary", 1)
    assert (move.before, move.after, move.action, move.who) == (2, None, "clear", "guardrails")
    assert move.why == "its time is over, and nothing says that it is worse than production"


def test_a_canary_that_is_worse_is_taken_away_for_all_with_the_figures(registry, store, traffic):
    registry.move("canary", 2, terms=Terms(percent=20.0).to_dict())
    traffic.follow(store)
    rng = np.random.default_rng(0)
    for i in range(3000):
        version = traffic.of(f"s{i}", traffic.slots.production).name
        traffic.executed(version, float(rng.random() < (0.6 if version == "v2" else 0.9)))
    traffic.follow(store)
    assert traffic.slots.get("canary") is None
    assert traffic.watch is None
    (move,) = registry.moves("canary", 1)
    assert (move.after, move.why) == (None, "worse than production: success rate")
    assert move.figures["success rate"]["p_value"] <= 0.04
    assert move.figures["harm"] == "success rate"
    assert registry.aliases() == {"production": 1}


def test_another_canary_is_counted_anew_and_what_somebody_moved_meanwhile_stays(registry, store, traffic):
    registry.move("canary", 2, terms=Terms(percent=50.0).to_dict())
    traffic.follow(store)
    for i in range(400):
        traffic.executed("v2" if i % 2 else "v1", float(i % 2 == 0))
    assert traffic.watch.harm() == "success rate"
    registry.move("canary", 3, terms=Terms(percent=50.0).to_dict())  # before this gateway looked
    traffic._judge(store)
    assert registry.aliases()["canary"] == 3
    traffic.follow(store)
    assert (traffic.slots.get("canary").name, traffic.watch.harm()) == ("v3", "")


def test_a_shadow_is_asked_beside_and_answers_nobody(registry, store, traffic):
    registry.move("shadow", 3)
    traffic.follow(store)
    assert share(traffic) == {"v1": 1.0}
    asked = []
    traffic.answered(
        traffic.of("s", traffic.slots.production), 0.001, False, lambda shadow: lambda: asked.append(shadow.name) or ("a",), ("a",)
    )
    until(lambda: traffic.stats()["shadow"]["compared"] == 1)
    assert (asked, traffic.stats()["shadow"]["overlap"]) == (["v3"], 1.0)
    registry.rollback("shadow", who="ann")
    traffic.follow(store)
    assert traffic.stats()["shadow"] is None


def test_what_cannot_be_opened_does_not_serve_and_is_not_tried_again_and_again(registry, store, traffic, caplog):
    bad = store.put_model(b"no model file", {}, activate=False)
    registry.move("canary", bad)
    registry.move("shadow", bad)
    for _ in range(3):
        traffic.follow(store)
    assert share(traffic) == {"v1": 1.0}
    assert len([r for r in caplog.records if "does not serve" in r.getMessage()]) == 2
    registry.move("canary", 2, terms={"size": 1})
    traffic.follow(store)
    assert "a canary has no term 'size'" in caplog.text
    assert traffic.slots.get("canary") is None
