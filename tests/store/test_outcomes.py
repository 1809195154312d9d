"""What became of answers: each execution beside what had been shown."""

import numpy as np
import pytest

from shgat.store import Decision, Outcome, Ranked, Store
from shgat.traces import Trace

T = 1_800_000_000.0


@pytest.fixture
def store(url):
    with Store.open(url, 8, clock=lambda: T) as store:
        yield store


def decided(store, n, ranked, *, user="local", version="v1"):
    key = f"{n:032x}"
    store.add_decisions([Decision(id=key, ranked=ranked, model_version=version, intent="x", created_at=T, user_id=user)])
    return key


def executed(store, key, tools, at=T, outcome=1.0, ms=None, user="local"):
    store.add_traces([Trace(id=key, decision_id=key, tools=tools, outcome=outcome, timestamp=at, duration_ms=ms, intent="x")], user)


def test_the_place_is_that_of_the_tool_that_stood_first(store):
    shown = (Ranked("a", 1), Ranked("b", 2), Ranked("c", 3))
    executed(store, decided(store, 1, shown), ("c", "b"), ms=1500.0)
    executed(store, decided(store, 2, shown, version="v2"), ("elsewhere",), outcome=0.0)
    first, second = store.outcomes(0, 0.0, 10)
    assert first == Outcome(first.seq, T, "v1", ("c", "b"), 2, 1.0, 1.5)
    assert second == Outcome(second.seq, T, "v2", ("elsewhere",), 0, 0.0, None)
    assert store.last_seq() == second.seq > first.seq


def test_what_might_have_been_shown_and_was_not_has_no_place(store):
    ranked = (Ranked("a", 1), Ranked("b", 2, 0.5, ((2, 0.5),)), Ranked("c", 0, 0.0, ((2, 0.5),)))
    executed(store, decided(store, 1, ranked), ("c",))
    assert store.outcomes(0, 0.0, 10)[0].place == 0


def test_only_what_is_new_and_of_the_user_and_the_latest_of_many(store):
    for n in range(5):
        executed(store, decided(store, n, (Ranked("a", 1),)), ("a",), at=T + n)
    executed(store, decided(store, 9, (Ranked("a", 1),), user="ann"), ("a",), user="ann")
    store.add_traces([Trace(id="alone", tools=("a",), timestamp=T)])
    everything = store.outcomes(0, 0.0, 10)
    assert len(everything) == 5
    assert store.outcomes(everything[2].seq, 0.0, 10) == everything[3:]
    assert store.outcomes(0, T + 2.5, 10) == everything[3:]
    assert store.outcomes(0, 0.0, 2) == everything[3:]
    assert len(store.outcomes(0, 0.0, 10, "ann")) == 1


def test_a_store_without_traces(store):
    assert store.outcomes(0, 0.0, 10) == []
    assert store.last_seq() == 0


def test_what_the_catalogue_and_the_features_lack(store):
    assert store.feature_gaps() == (0.0, None)
    assert store.catalog_checksum() is None
    row = np.ones(8, np.float32)
    from shgat import Catalog

    catalog = Catalog.from_records([{"id": "a", "text": "a", "embedding": row}], [{"id": "c", "tools": ["a"], "embedding": row}])
    store.keep_catalog(catalog)
    assert store.catalog_checksum() == catalog.checksum
    assert store.feature_gaps() == (1.0, None)
