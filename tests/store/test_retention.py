"""A store keeps what its policy says, never loses what is not learned yet, and gives space back."""

import itertools
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from people import until
from shgat.errors import InputError
from shgat.store import Decision, Reason, Retention, Store
from traces.examples import D

NONE = Retention(**{field.name: None for field in fields(Retention)})


def decisions(n, start=0, **changes):
    x = np.random.default_rng(0).standard_normal(D).astype(np.float32)
    values = {"intent": "i", "ranked": [], "model_version": "1", "embedding": x}
    return [Decision(id=f"d{i}", **(values | changes)) for i in range(start, start + n)]


def fresh(store):
    store.prune(keep_traces=0, keep_decisions=0, keep_models=0)


def test_there_are_bounds_by_default():
    assert all(getattr(Retention(), name) for name in ("decisions", "traces", "models", "unanswered"))


@pytest.mark.parametrize("name", [field.name for field in fields(Retention) if field.name != "archive"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "many", True])
def test_a_bound_that_makes_no_sense_is_refused_by_name(name, value):
    with pytest.raises(InputError, match=f"retention: {name}"):
        Retention(**{name: value})


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n=st.integers(0, 30), keep=st.integers(0, 30), learned=st.sets(st.integers(0, 29)), aside=st.sets(st.integers(0, 29)))
def test_the_newest_stay_and_whatever_was_not_learned_yet(store, make_trace, n, keep, learned, aside):
    fresh(store)
    store.add_decisions(decisions(n))
    store.add_traces([make_trace(i) for i in range(n)])
    learned, aside = [f"t{i}" for i in sorted(learned) if i < n], {f"t{i}": Reason("no") for i in sorted(aside) if i < n}
    store.set_priorities(learned, [0.5] * len(learned))
    store.set_aside(aside)
    store.retain(Retention(decisions=keep, traces=keep, unanswered=None))
    assert [d.id for d in store.decisions()] == [f"d{i}" for i in range(max(0, n - keep), n)]
    done = {*learned, *aside}
    assert [t.id for t in store.traces()] == [f"t{i}" for i in range(n) if i >= n - keep or f"t{i}" not in done]
    assert store.retain(Retention(decisions=keep, traces=keep, unanswered=None)) == {
        "decisions": 0,
        "traces": 0,
        "model_versions": 0,
    }


def test_without_bounds_nothing_goes(store, make_trace):
    store.add_decisions(decisions(5, created_at=0.0))
    store.add_traces([make_trace(i, priority=0.5) for i in range(5)])
    assert set(store.retain(NONE).values()) == {0}
    assert store.counts()["decisions"] == store.counts()["traces"] == 5


def test_an_old_decision_without_feedback_goes(store, make_trace):
    now = 1e9
    store.clock = lambda: now
    store.add_decisions([*decisions(4, created_at=now - 100.0), *decisions(2, 4, created_at=now - 10.0)])
    store.add_traces([make_trace(1), make_trace(5)])
    assert store.retain(Retention(unanswered=50.0))["decisions"] == 3
    assert [d.id for d in store.decisions()] == ["d1", "d4", "d5"]


def test_versions_of_one_user_push_out_nobody_elses(store):
    for i in range(3):
        store.put_model(b"a%d" % i, {}, user_id="carol")
    kept = [store.put_model(b"d%d" % i, {}, user_id="dave") for i in range(25)]
    store.activate_model(kept[0])
    assert store.retain(Retention(models=20)) == {"decisions": 0, "traces": 0, "model_versions": 4}
    assert len(store.model_versions("carol")) == 3
    assert [v.version for v in store.model_versions("dave")] == [kept[0], *kept[5:]]
    assert store.prune(keep_models=1) == {"model_versions": 20}
    assert len(store.model_versions("carol")) == 2  # and the way back
    assert [v.version for v in store.model_versions("dave")] == [kept[0], kept[-1]]


def test_what_an_alias_names_stays_and_so_does_the_way_back(store):
    versions = [store.put_model(b"%d" % i, {}, activate=i < 4) for i in range(12)]
    store.activate_model(versions[1])  # a rollback of production returns to the one before, versions[3]
    for alias, version in {"staging": 5, "shadow": 6, "canary": 7}.items():
        store.move_model_alias(alias, versions[version])
    store.move_alias("production", 99, user_id="another")
    named = [versions[i] for i in (1, 3, 5, 6, 7)]
    assert store.retain(Retention(models=2))["model_versions"] == 5
    assert [v.version for v in store.model_versions()] == [*named, *versions[-2:]]
    store.move_model_alias("canary", None)
    (back,) = [m for m in store.moves(alias="production") if m.number == 4]
    store.move_model_alias("production", versions[3], action="rollback", restores=back.number)
    assert back.after == versions[3]
    assert store.prune(keep_models=0) == {"model_versions": 4}
    assert [v.version for v in store.model_versions()] == [versions[3], versions[5], versions[6]]


def test_the_log_keeps_the_newest_moves_of_each_alias(store):
    for i in range(8):
        store.move_alias("production", i)
    store.move_alias("staging", 1)
    store.retain(Retention(moves=3))
    assert [(m.alias, m.number) for m in sorted(store.moves(), key=lambda m: (m.alias, m.number))] == [
        ("production", 6), ("production", 7), ("production", 8), ("staging", 1),
    ]  # fmt: skip
    store.retain(Retention(moves=0))
    store.move_alias("production", 9)
    assert [m.number for m in store.moves(alias="production")] == [9, 8]


def test_a_size_is_kept_to_by_removing_the_oldest(store, make_trace):
    text = "a long intent " * 100
    store.add_decisions(decisions(2000, intent=text))
    store.add_traces([make_trace(i, intent=text, priority=0.5) for i in range(500)])
    store.add_traces([make_trace(i, intent=text) for i in range(500, 520)])
    before = store.size()
    bound = before["used"] // 2
    removed = store.retain(Retention(size=bound))
    after = store.size()
    assert after["used"] <= bound
    assert after["decisions"] == 2000 - removed["decisions"] < 2000
    assert [d.id for d in store.decisions()][-1:] == (["d1999"] if after["decisions"] else [])
    store.retain(Retention(size=0))
    assert (store.size()["decisions"], [t.id for t in store.traces()]) == (0, [f"t{i}" for i in range(500, 520)])


def test_a_file_of_sqlite_becomes_smaller(tmp_path):
    path, count = tmp_path / "store.db", itertools.count()
    with Store.open(f"sqlite:///{path}", D) as store:
        store.add_decisions(decisions(5000, intent="a long intent " * 50))
        store.retain(Retention(decisions=5000))
        before = store.size()
        store.retain(Retention(decisions=100))
        until(lambda: store.retain(Retention(decisions=99 - next(count))) and store.size()["bytes"] < 1.3 * store.size()["used"])
        after = store.size()
    assert after["bytes"] < before["bytes"] / 10
    assert path.stat().st_size < before["bytes"] / 5


def test_a_decision_takes_few_bytes(tmp_path):
    """An intent of 384 dimensions as float16 holds it, ten answers."""
    x = np.random.default_rng(0).standard_normal(384).astype(np.float16).astype(np.float32)
    ranked = [(f"some.tool_number_{i}", i) for i in range(1, 11)]
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}", 384) as store:
        empty = store.size()["used"]
        batch = [Decision(intent=f"an intent {i}", ranked=ranked, model_version="v1", embedding=x) for i in range(2000)]
        store.add_decisions(batch)
        assert (store.size()["used"] - empty) / 2000 < 1700
