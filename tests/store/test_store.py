"""The contract of a store, the same on SQLite and on PostgreSQL."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shgat.errors import InputError, StoreError, TraceError
from shgat.graph import Capability, Catalog, Tool
from shgat.store import Decision, Ranked, Store
from shgat.traces import Trace, TraceBatch

D = 8
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
numbers = st.floats(0, 1e12)
any_trace = st.builds(
    Trace,
    intent=names,
    tools=st.lists(names, max_size=4),
    outcome=st.floats(0, 1),
    capability=st.none() | names,
    context_tools=st.lists(names, max_size=3),
    duration_ms=st.none() | numbers,
    error=st.none() | names,
    parent_id=st.none() | names,
    created_at=numbers,
    priority=st.none() | numbers,
    embedding=st.none() | st.lists(st.floats(-(2.0**40), 2.0**40, width=32), min_size=D, max_size=D),
)


class TestTraces:
    def test_a_trace_comes_back_as_it_went(self, store, make_trace, columns):
        trace = make_trace(1, priority=0.5)
        assert store.add_trace(trace)
        assert columns(store.trace("t1")) == columns(trace)
        assert columns(store.trace_of_decision("d1")) == columns(trace)
        assert store.trace("unknown") is None
        assert store.trace_of_decision("unknown") is None

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(trace=any_trace)
    def test_any_trace_comes_back_as_it_went(self, store, columns, trace):
        assert store.add_trace(trace)
        assert columns(store.trace(trace.id)) == columns(trace)

    def test_a_decision_takes_one_trace(self, store, make_trace, columns):
        first = make_trace(1)
        assert store.add_trace(first)
        assert not store.add_trace(make_trace(1, id="another", outcome=0.9))
        assert not store.add_trace(make_trace(1, decision_id="another", outcome=0.9))
        assert [columns(t) for t in store.traces()] == [columns(first)]
        assert store.counts()["priorities"] == 1

    def test_traces_without_a_decision_are_all_taken(self, store, make_trace):
        assert store.add_traces([make_trace(i, decision_id=None) for i in range(3)]) == [True] * 3

    def test_a_batch_is_taken_once_however_it_repeats_itself(self, store, make_trace):
        batch = [make_trace(1), make_trace(1), make_trace(2), make_trace(3, decision_id="d2")]
        assert store.add_traces(batch) == [True, False, True, False]
        assert store.add_traces(batch) == [False] * 4
        assert store.add_traces([]) == []

    def test_created_at_is_the_clock_unless_given(self, url):
        with Store.open(url, D, clock=lambda: 42.5) as store:
            store.add_trace(Trace(id="x", intent="i"))
            assert store.trace("x").created_at == 42.5

    def test_traces_stream_in_order_from_a_cursor(self, store, make_trace):
        store.add_traces([make_trace(i) for i in range(2500)])
        ids = [t.id for t in store.traces()]
        assert ids == [f"t{i}" for i in range(2500)]
        middle = next(itertools.islice(store.traces(), 1200, None)).seq
        assert [t.id for t in store.traces(after=middle)] == ids[1201:]
        assert [t.id for t in store.traces(after=middle, limit=1100)] == ids[1201:2301]
        assert list(store.traces(limit=0)) == []
        batches = list(store.trace_batches(1024))
        assert [len(b) for b in batches] == [1024, 1024, 452]
        assert [i for b in batches for i in b.ids] == ids

    def test_columns_are_aligned(self, store, make_trace):
        given = [make_trace(0, priority=2.0), make_trace(1, embedding=None, capability=None)]
        store.add_traces(given)
        (batch,) = store.trace_batches()
        assert isinstance(batch, TraceBatch)
        np.testing.assert_array_equal(batch.embeddings, [given[0].embedding, np.zeros(D)])
        np.testing.assert_array_equal(batch.embedded, [True, False])
        np.testing.assert_array_equal(batch.priorities, [2.0, np.inf])
        np.testing.assert_array_equal(batch.outcomes, np.float32([0, 1 / 3]))
        assert batch.capabilities == ["cap:read", None]
        assert batch.tools == [t.tools for t in given]
        assert batch.intents == [t.intent for t in given]
        assert (np.diff(batch.seqs) > 0).all()

    def test_steps_may_arrive_before_their_parent(self, store):
        store.add_traces([Trace(id=i, intent="step", parent_id="whole") for i in ("b", "a")])
        store.add_trace(Trace(id="whole", intent="whole"))
        assert [t.id for t in store.steps("whole")] == ["b", "a"]
        assert store.steps("a") == []

    @pytest.mark.parametrize(
        ("changes", "fault"),
        [
            ({"embedding": np.zeros(D + 1, np.float32)}, "'t7': embedding has 9 dimensions, the store has 8"),
            ({"embedding": [np.nan] * D}, "'t7': embedding holds NaN"),
            ({"outcome": 1.5}, r"'t7': outcome lies in \[0, 1\]"),
            ({"outcome": float("nan")}, "'t7': outcome"),
            ({"outcome": None}, "'t7': outcome"),
            ({"duration_ms": -1}, "'t7': duration_ms"),
            ({"intent": ""}, "'t7': intent"),
            ({"intent": "a\0b"}, r"'t7': intent holds U\+0000 at position 1"),
            ({"tools": ["a", "\ud800"]}, "'t7': tools.* surrogate"),
            ({"tools": "abc"}, "'t7': tools"),
            ({"id": ""}, "the id of a trace"),
        ],
    )
    def test_bad_traces_are_refused_by_name(self, store, make_trace, changes, fault):
        with pytest.raises(TraceError, match=fault):
            store.add_traces([make_trace(1), make_trace(7, **changes)])
        assert store.counts()["traces"] == 0


class TestPriorities:
    def test_new_traces_come_first_then_the_highest_priority(self, store, make_trace):
        store.add_traces([make_trace(i) for i in range(6)])
        assert store.set_priorities(["t0", "t1", "t2", "gone"], [0.1, 0.9, 0.5, 1.0]) == 3
        assert [t.id for t in store.traces_by_priority(10)] == ["t5", "t4", "t3", "t1", "t2", "t0"]
        assert [t.id for t in store.traces_by_priority(2)] == ["t5", "t4"]
        assert [t.priority for t in store.traces_by_priority(4)] == [None, None, None, 0.9]
        assert store.status()["untrained_traces"] == 3

    def test_priorities_are_replaced(self, store, make_trace):
        store.add_traces([make_trace(i) for i in range(2500)])
        ids = [f"t{i}" for i in range(2500)]
        values = np.random.default_rng(0).random(2500).astype(np.float32)
        assert store.set_priorities(ids, values) == 2500
        assert store.set_priorities([*ids[::-1], "t0"], [*values[::-1], 7.0]) == 2500
        assert store.traces_by_priority(3)[0].id == "t0"
        assert store.counts()["priorities"] == 2500
        assert store.set_priorities([], []) == 0

    @pytest.mark.parametrize("values", [[0.1], [0.1, np.nan], [0.1, -1.0], [0.1, np.inf]])
    def test_bad_priorities_change_nothing(self, store, make_trace, values):
        store.add_traces([make_trace(i) for i in range(2)])
        with pytest.raises(InputError, match="set_priorities"):
            store.set_priorities(["t0", "t1"], values)
        assert all(t.priority is None for t in store.traces())


class TestDecisions:
    def test_a_decision_comes_back_as_it_went(self, store):
        decision = Decision(
            id="d1",
            intent="read a file",
            embedding=np.arange(D, dtype=np.float32),
            ranked=[("fs.read", 1, 0.75), Ranked("fs.list", 2, 0.25)],
            model_version="12",
            session="s",
            created_at=7.25,
        )
        assert store.add_decision(decision)
        assert not store.add_decision(Decision(id="d1", intent="other", ranked=[], model_version="13"))
        found = store.decision("d1")
        assert found.ranked == (Ranked("fs.read", 1, 0.75), Ranked("fs.list", 2, 0.25))
        assert found.intent_hash == decision.intent_hash
        assert (found.intent, found.model_version, found.session, found.created_at) == ("read a file", "12", "s", 7.25)
        np.testing.assert_array_equal(found.embedding, decision.embedding)
        assert store.decision("d2") is None

    def test_an_intent_may_be_kept_as_a_hash_only(self, store):
        store.add_decision(Decision(id="d", intent_hash="ab12", ranked=[], model_version="1"))
        assert store.decision("d").intent is None
        with pytest.raises(InputError, match="intent_hash"):
            Decision(ranked=[], model_version="1")

    def test_decisions_stream_from_a_cursor(self, store):
        given = [Decision(id=f"d{i}", intent="i", ranked=[("a", 1)], model_version="1") for i in range(1200)]
        assert store.add_decisions([*given, given[0]]) == [True] * 1200 + [False]
        found = list(store.decisions())
        assert [d.id for d in found] == [d.id for d in given]
        assert [d.id for d in store.decisions(after=found[9].seq, limit=2)] == ["d10", "d11"]

    @pytest.mark.parametrize("ranked", [[("a", 0)], [("a", 1, 1.5)], [("a", 1, float("nan"))], [("", 1)]])
    def test_bad_answers_are_refused(self, ranked):
        with pytest.raises(InputError, match="decision 'd'"):
            Decision(id="d", intent="i", ranked=ranked, model_version="1")


class TestCatalog:
    def test_a_catalogue_comes_back_and_is_replaced_by_id(self, store):
        vector = np.arange(D, dtype=np.float32)
        store.upsert_catalog(
            [Tool("a", "reads", "fs", vector), Tool("b")],
            [Capability("c", "both", ("b", "a"), (), 0.5, 4, vector), Capability("e", capabilities=("c",))],
        )
        store.upsert_catalog([Tool("a", "reads files", "fs", vector * 2)], [Capability("c", "one", ("a",))])
        tools, capabilities = store.catalog()
        assert [(t.id, t.text, t.server) for t in tools] == [("a", "reads files", "fs"), ("b", "", "")]
        np.testing.assert_array_equal(tools[0].embedding, vector * 2)
        assert [(c.id, c.tools, c.capabilities, c.uses) for c in capabilities] == [
            ("c", ("a",), (), 0),
            ("e", (), ("c",), 0),
        ]
        assert tools[1].embedding is None
        assert store.counts()["members"] == 2
        assert store.remove_from_catalog(["a", "c", "unknown"]) == 2
        assert store.counts() | {"members": 0, "tools": 1, "capabilities": 1} == store.counts()

    def test_a_catalogue_is_kept_once_and_again_after_a_change(self, store):
        vector = np.ones(D, np.float32)
        edges = [Capability("c", "both", ("b", "a"), embedding=vector)]
        first = Catalog.from_records([Tool("b", embedding=vector), Tool("a", embedding=2 * vector)], edges)
        assert store.keep_catalog(first)
        assert not store.keep_catalog(first)
        changed = Catalog.from_records([Tool("b", embedding=vector), Tool("a", embedding=3 * vector)], edges)
        assert changed.fingerprint == first.fingerprint
        assert store.keep_catalog(changed)
        np.testing.assert_array_equal(store.catalog()[0][0].embedding, 3 * vector)
        assert store.remove_from_catalog(["a"]) == 1
        assert store.keep_catalog(changed)
        assert [t.id for t in store.catalog()[0]] == ["a", "b"]
        store.upsert_catalog([Tool("only here", embedding=vector)])
        assert store.keep_catalog(changed)
        assert [t.id for t in store.catalog()[0]] == ["a", "b", "only here"]

    def test_a_wrong_dimension_is_refused_and_nothing_written(self, store):
        with pytest.raises(InputError, match="tool 'b': embedding has 3 dimensions, the store has 8"):
            store.upsert_catalog([Tool("a"), Tool("b", embedding=np.zeros(3, np.float32))])
        assert store.catalog() == ([], [])


class TestStore:
    def test_what_is_written_is_there_after_a_reopening(self, url, make_trace):
        with Store.open(url, D) as store:
            store.add_trace(make_trace(1))
        with Store.open(url) as store:
            assert (store.dimension, store.counts()["traces"]) == (D, 1)

    def test_a_new_store_needs_a_dimension(self, url):
        with pytest.raises(StoreError, match="dimension"):
            Store.open(url)
        Store.open(url, D).close()

    def test_another_dimension_is_refused(self, url):
        Store.open(url, D).close()
        with pytest.raises(StoreError, match="holds embeddings of 8 dimensions, not 9"):
            Store.open(url, D + 1)
        with pytest.raises(StoreError, match="lies in"):
            Store.open(url, 0)

    def test_status_is_json_without_the_password(self, store, make_trace):
        store.add_trace(make_trace(1))
        status = store.status()
        assert "hidden" not in status["url"]
        assert status["bytes"] > 0
        assert status["rows"]["traces"] == 1
        assert status["active_parameters"] is None

    def test_prune_keeps_the_newest_and_the_active(self, store, make_trace):
        store.add_traces([make_trace(i) for i in range(10)])
        store.add_decisions([Decision(id=f"d{i}", intent="i", ranked=[], model_version="1") for i in range(5)])
        versions = [store.put_parameters(b"%d" % i, {}) for i in range(4)]
        store.activate_parameters(versions[1])
        assert store.prune(keep_traces=3, keep_decisions=5, keep_parameters=1) == {
            "traces": 7,
            "decisions": 0,
            "parameters": 2,
        }
        assert [t.id for t in store.traces()] == ["t7", "t8", "t9"]
        assert store.counts()["priorities"] == 3
        assert [v.version for v in store.parameter_versions()] == [versions[1], versions[3]]
        assert store.prune(keep_traces=0) == {"traces": 3}
        assert store.prune() == {}
        with pytest.raises(InputError, match="keep_traces"):
            store.prune(keep_traces=-1)

    def test_a_seq_is_never_used_again(self, store, make_trace):
        store.add_trace(make_trace(1))
        last = store.trace("t1").seq
        store.prune(keep_traces=0)
        store.add_trace(make_trace(1))
        assert store.trace("t1").seq > last


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("nonsense", "no database URL"),
        ("mysql://u:secret@h/x", "mysql is not supported"),
        ("sqlite://", "keeps nothing"),
        ("sqlite:///:memory:", "keeps nothing"),
        ("sqlite:////nowhere/at/all.db", "its folder exists"),
        ("postgresql://u:secret@localhost:1/x", "runs and can be reached"),
        ("postgresql://u@localhost:1/x?password=secret", "runs and can be reached"),
    ],
)
def test_a_bad_url_says_what_to_do_and_hides_the_password(url, fault):
    with pytest.raises(StoreError, match=fault) as caught:
        Store.open(url, D, timeout=1.0)
    assert "secret" not in str(caught.value)


def test_no_store_is_created_by_looking(tmp_path):
    with pytest.raises(StoreError, match="no such store"):
        Store.open(f"sqlite:///{tmp_path}/x.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    path = tmp_path / "x.db"
    path.write_bytes(b"precious" * 1000)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(f"sqlite:///{path}", D)
    assert path.read_bytes() == b"precious" * 1000
