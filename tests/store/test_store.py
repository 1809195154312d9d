"""A store as a whole: opening it, what it says of itself, and pruning."""

import pytest

from shgat.errors import InputError, StoreError
from shgat.store import Decision, Store
from traces.examples import D


def test_what_is_written_is_there_after_a_reopening(url, make_trace):
    with Store.open(url, D) as store:
        store.add_trace(make_trace(1))
    with Store.open(url) as store:
        assert (store.dimension, store.counts()["traces"]) == (D, 1)


def test_a_new_store_needs_a_dimension(url):
    with pytest.raises(StoreError, match="dimension"):
        Store.open(url)
    Store.open(url, D).close()


def test_another_dimension_is_refused(url):
    Store.open(url, D).close()
    with pytest.raises(StoreError, match="holds embeddings of 8 dimensions, not 9"):
        Store.open(url, D + 1)
    with pytest.raises(StoreError, match="lies in"):
        Store.open(url, 0)


def test_no_store_is_created_by_looking(tmp_path):
    with pytest.raises(StoreError, match="no such store"):
        Store.open(f"sqlite:///{tmp_path}/x.db")
    assert list(tmp_path.iterdir()) == []


def test_status_is_json_without_the_password(store, make_trace):
    now = 100.0
    store.clock = lambda: now
    store.add_traces([make_trace(1), make_trace(2, priority=0.5)])
    status = store.status()
    assert "hidden" not in status["url"]
    assert status["bytes"] > 0
    assert (status["dimension"], status["rows"]["traces"], status["untrained_traces"]) == (D, 2, 1)
    assert status["active_model"] is status["model_age_s"] is None
    version = store.put_model(b"1", {})
    store.put_model(b"2", {}, activate=False)
    now = 160.0
    assert (store.status()["active_model"], store.status()["model_age_s"]) == (version, 60.0)
    assert store.status()["rows"]["model_versions"] == 2


def test_pruning_keeps_the_newest_and_the_active(store, make_trace):
    store.add_traces([make_trace(i) for i in range(10)])
    store.add_decisions([Decision(id=f"d{i}", intent="i", ranked=[], model_version="1") for i in range(5)])
    versions = [store.put_model(b"%d" % i, {}) for i in range(4)]
    store.activate_model(versions[1])
    assert store.prune(keep_traces=3, keep_decisions=5, keep_models=1) == {
        "traces": 7,
        "decisions": 0,
        "model_versions": 2,
    }
    assert [t.id for t in store.traces()] == ["t7", "t8", "t9"]
    assert store.counts()["priorities"] == 3
    assert [v.version for v in store.model_versions()] == [versions[1], versions[3]]
    assert store.prune(keep_traces=0) == {"traces": 3}
    assert store.prune() == {}


@pytest.mark.parametrize("which", ["keep_traces", "keep_decisions", "keep_models"])
@pytest.mark.parametrize("number", [-1, float("nan")])
def test_a_number_to_keep_that_makes_no_sense_is_refused_by_name(store, make_trace, which, number):
    store.add_trace(make_trace(1))
    with pytest.raises(InputError, match=f"prune: {which}"):
        store.prune(**{"keep_traces": 0, which: number})
    assert store.counts()["traces"] == 1
