"""What is due is built, checked, and written only where it is sound."""

from dataclasses import replace

import numpy as np
import pytest

from features import planted
from shgat.errors import InputError
from shgat.features.capability import capability_features
from shgat.features.node2vec import Node2VecConfig
from shgat.features.usage import DAY
from shgat.features.validation import Limits
from shgat.store import Decision
from shgat.store.feature_build import build_features, check_features, due, stored_catalog
from shgat.traces import Trace
from traces.examples import D

FAST = Node2VecConfig(walks=4)
NOW = 1e9


@pytest.fixture
def filled(store):
    """A store with a catalogue of 30 capabilities, and a clock that can be set."""
    rng = np.random.default_rng(0)
    now = [NOW]
    store.clock = lambda: now[0]
    store.now = now
    store.upsert_catalog(*planted.catalog(planted.members(40, 30, 5, rng), 40, rng, D).records())
    return store


def test_it_is_built_once_and_again_when_something_changed(filled):
    assert due(None, stored_catalog(filled), NOW) == "there are none"
    first = build_features(filled, config=FAST)
    assert (first.written, first.state.version, first.report.ok) == (True, 1, True)
    assert len(filled.features()) == 30
    filled.now[0] += DAY - 1
    assert build_features(filled, config=FAST).reason is None
    assert due(first.state, stored_catalog(filled), NOW + 3600, max_age=3600.0) == "they are 1 hours old"
    assert due(first.state, stored_catalog(filled), NOW + 3599, max_age=3600.0) is None
    for change, reason in (
        (lambda: filled.now.__setitem__(0, filled.now[0] + 2), "they are 24 hours old"),
        (lambda: filled.remove_from_catalog(["c3"]), "the catalogue changed"),
    ):
        change()
        built = build_features(filled, config=FAST)
        assert (built.reason, built.written) == (reason, True)
    assert build_features(filled, config=replace(FAST, seed=1)).reason == "the settings changed"
    forced = build_features(filled, config=replace(FAST, seed=1), force=True)
    assert (forced.reason, forced.state.version) == ("asked for", 5)
    found = filled.features()
    assert {r.feature_version for r in found.values()} == {5}
    assert "c3" not in found
    assert check_features(filled).ok


def test_they_are_those_of_the_store_at_that_moment(filled):
    filled.add_traces([
        Trace(id="1", timestamp=NOW - 2 * DAY, capability="c1", duration_ms=12.0),
        Trace(id="2", timestamp=NOW + 2 * DAY, capability="c1", duration_ms=1e9, outcome=0),
        Trace(id="3", timestamp=NOW - 31 * DAY, capability="c1", outcome=0),
    ])  # fmt: skip
    build_features(filled, config=FAST, text_weight=0.5)
    row = filled.features(["c1"])["c1"]
    assert (row.usage_count_1d, row.usage_count_7d, row.usage_count_30d) == (0, 1, 1)
    assert (row.avg_execution_time_ms, row.success_rate, row.computed_at) == (12.0, 1.0, NOW)
    catalog = stored_catalog(filled)
    expected = capability_features(catalog, as_of=NOW, text_weight=0.5, config=FAST)
    for one in expected:
        np.testing.assert_allclose(filled.features([one.capability_id])[one.capability_id].hybrid_embedding, one.hybrid_embedding)


def test_what_a_check_refuses_is_not_written(filled):
    build_features(filled, config=FAST)
    filled.remove_from_catalog(["c0"])
    built = build_features(filled, config=FAST, limits=Limits(min_variance=2.0))
    assert (built.written, built.state.version, built.report.ok) == (False, 1, False)
    assert {f.check for f in built.report.faults} == {"variance"}
    assert {r.feature_version for r in filled.features().values()} == {1}
    assert build_features(filled, config=FAST).state.version == 2


def test_held_out_traces_choose_the_weight(filled):
    catalog = stored_catalog(filled)
    rng, column = np.random.default_rng(1), catalog.tool_column
    traces = []
    for i in range(400):  # intents say nothing of the texts of what was run, which lies in one capability
        c = catalog.capabilities[i % 30]
        first, *rest = c.tools
        ran = rng.choice(rest, 1) if rest else [first]
        traces.append(Trace(id=f"x{i}", tools=list(ran), embedding=catalog.tool_embeddings[column[first]], timestamp=NOW - i))
    filled.add_traces(traces)
    state = build_features(filled).state
    assert state.n_held == 80
    assert state.text_weight < 1.0
    assert build_features(filled, text_weight=1.0).state.text_weight == 1.0


def test_intents_come_in_and_go_even_where_nothing_is_due(filled):
    build_features(filled, config=FAST)
    asked = Decision(id="d", intent="send it", ranked=[], model_version="1", embedding=np.ones(D, np.float32), created_at=NOW)
    filled.add_decision(asked)
    built = build_features(filled, config=FAST)
    assert (built.reason, built.intents, built.forgotten) == (None, 1, 0)
    filled.now[0] += 31 * DAY
    assert build_features(filled, config=FAST).forgotten == 1


def test_age_and_gaps_are_found_later(filled):
    assert {f.check for f in check_features(filled).faults} == {"missing"}
    build_features(filled, config=FAST)
    filled.now[0] += 1.5 * DAY
    assert {f.check for f in check_features(filled).faults} == {"age in hours"}
    assert check_features(filled, Limits(max_age_hours=48)).ok
    filled.upsert_catalog(
        [], [replace(stored_catalog(filled).capabilities[0], id=f"new{i}", embedding=np.ones(D)) for i in range(3)]
    )
    assert "new0" in next(f for f in check_features(filled, Limits(max_age_hours=48)).faults if f.of == "hybrid_embedding").items


def test_an_empty_store_has_nothing_to_build(store):
    built = build_features(store, config=FAST)
    assert (built.written, store.features()) == (True, {})
    assert build_features(store, config=FAST).reason is None


def test_vectors_that_have_no_room_are_refused(store):
    with pytest.raises(InputError, match="64 dimensions, not 32"):
        build_features(store, config=Node2VecConfig(dimensions=32))
