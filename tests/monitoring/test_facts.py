"""Figures of a store, on both databases."""

import time

import pytest

from monitoring.world import D, catalog
from shgat.monitoring.facts import FactSettings, StoreFacts
from shgat.monitoring.measures import TOOLS, VERSIONS, key
from shgat.store import Decision, Ranked, Store
from shgat.traces import Trace

NOW = 1_800_000_000.0


@pytest.fixture
def facts(url):
    with Store.open(url, D, clock=lambda: NOW) as store:
        store.keep_catalog(catalog())
        found = StoreFacts(url, clock=lambda: NOW)
        yield found, store
        found.close()


def add(store, i, place, *, at=NOW - 60.0, outcome=1.0, version="v1", tool="t2", seconds=2.0, rating=None):
    others = [f"o{j}" for j in range(1, 6)]
    ranked = [Ranked(o, j) for j, o in enumerate(others, 1) if j != place] + ([Ranked(tool, place)] if place else [])
    key_ = f"{i:032x}"
    store.add_decisions(
        [Decision(id=key_, ranked=tuple(ranked), model_version=version, intent=None, intent_hash="none", created_at=at)]
    )
    store.add_traces(
        [Trace(id=key_, decision_id=key_, tools=(tool,), outcome=outcome, timestamp=at, duration_ms=1000 * seconds, rating=rating)]
    )


def test_quality_by_window(facts):
    found, store = facts
    for i in range(40):
        add(store, i, (1, 2, 4, 0)[i % 4])
    for i in range(40, 60):
        add(store, i, 1, at=NOW - 7200.0, outcome=0.0)
    got = found.read()
    assert got[key("shgat_online_executions", window="1h")] == 40
    assert got[key("shgat_online_executions", window="24h")] == 60
    assert got[key("shgat_online_mrr", window="1h")] == pytest.approx((1 + 0.5 + 0.25 + 0) / 4)
    assert got[key("shgat_online_hit_rate", window="1h", k="3")] == pytest.approx(0.5)
    assert got[key("shgat_task_success", window="24h")] == pytest.approx(40 / 60)
    assert got[key("shgat_task_seconds", window="1h", quantile="0.5")] == pytest.approx(2.0)
    assert got[key("shgat_tool_executions", tool="t2")] == 60
    assert key("shgat_satisfaction", window="1h") not in got
    add(store, 98, 1, rating=5.0)
    add(store, 99, 1, rating=2.0)
    assert found.read()[key("shgat_satisfaction", window="1h")] == 3.5


def test_a_few_executions_say_nothing_of_the_ranking(facts):
    found, store = facts
    for i in range(29):
        add(store, i, 1)
    assert key("shgat_online_mrr", window="1h") not in found.read()
    add(store, 29, 1)
    assert found.read()[key("shgat_online_mrr", window="1h")] == 1.0


def test_tools_and_versions_that_are_labels_are_bounded(facts):
    found, store = facts
    for i in range(130):
        add(store, i, 1, tool=f"x{i % 65}", version=f"v{i % 13}")
    got = found.read()
    assert sum(name == "shgat_tool_success" for name, _ in got) == TOOLS
    assert sum(name == "shgat_version_success" for name, _ in got) == VERSIONS


def test_what_is_new_is_read_and_what_is_old_goes(url):
    now = [NOW]
    with Store.open(url, D) as store:
        store.keep_catalog(catalog())
        found = StoreFacts(url, clock=lambda: now[0])
        add(store, 0, 1)
        assert found.read()[key("shgat_online_executions", window="7d")] == 1
        add(store, 1, 1)
        assert found.read()[key("shgat_online_executions", window="7d")] == 2
        now[0] += 8 * 86400.0
        assert found.read()[key("shgat_online_executions", window="7d")] == 0
        found.close()


def test_nothing_is_said_of_what_is_not_there(facts):
    found, _ = facts
    got = {name for name, _ in found.read()}
    assert not got & {"shgat_model_age_seconds", "shgat_feature_age_seconds", "shgat_drift", "shgat_task_success"}
    assert {"shgat_embedding_variance", "shgat_store_read_seconds", "shgat_missing_share"} <= got


def test_it_reads_in_bounded_time(facts):
    found, store = facts
    for i in range(300):
        add(store, i, 1)
    found.read()
    began = time.perf_counter()
    found.read()
    assert found.read()[key("shgat_store_read_seconds")] < time.perf_counter() - began


def test_settings_are_checked():
    with pytest.raises(ValueError, match="drift_latest"):
        FactSettings(drift_latest=0)
