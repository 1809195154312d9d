"""What is to be replayed: new traces first, each for its own user, and what nobody can use is set aside and comes back."""

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shgat.errors import DamagedError, InputError
from shgat.store import Reason
from shgat.store.schema import METADATA


def test_new_traces_come_first_then_the_highest_priority(store, make_trace):
    store.add_traces([make_trace(i) for i in range(6)])
    assert store.set_priorities(["t0", "t1", "t2", "gone"], [0.1, 0.9, 0.5, 1.0]) == 3
    assert [t.id for t in store.traces_by_priority(10)] == ["t5", "t4", "t3", "t1", "t2", "t0"]
    assert [t.id for t in store.traces_by_priority(2)] == ["t5", "t4"]
    assert [t.priority for t in store.traces_by_priority(4)] == [None, None, None, 0.9]
    assert store.status()["untrained_traces"] == 3


def test_priorities_are_replaced(store, make_trace):
    store.add_traces([make_trace(i) for i in range(2500)])
    ids = [f"t{i}" for i in range(2500)]
    values = np.random.default_rng(0).random(2500).astype(np.float32)
    assert store.set_priorities(ids, values) == 2500
    assert store.set_priorities([*ids[::-1], "t0"], [*values[::-1], 7.0]) == 2500
    assert store.traces_by_priority(3)[0].id == "t0"
    assert store.counts()["priorities"] == 2500
    assert store.set_priorities([], []) == 0


@pytest.mark.parametrize("values", [[0.1], [0.1, np.nan], [0.1, -1.0], [0.1, np.inf]])
def test_bad_priorities_change_nothing(store, make_trace, values):
    store.add_traces([make_trace(i) for i in range(2)])
    with pytest.raises(InputError, match="set_priorities"):
        store.set_priorities(["t0", "t1"], values)
    assert all(t.priority is None for t in store.traces())


# ---------------------------------------------------------------- users
def test_a_trace_is_replayed_for_its_user_alone(store, make_trace):
    assert store.add_traces([make_trace(i) for i in range(4)], "alice") == [True] * 4
    assert store.add_traces([make_trace(i) for i in range(3, 6)], "bob") == [False, True, True]
    assert [t.id for t in store.traces_by_priority(10, "alice")] == ["t3", "t2", "t1", "t0"]
    assert [t.id for t in store.traces_by_priority(10, "bob")] == ["t5", "t4"]
    assert store.traces_by_priority(10) == []
    store.set_priorities(["t0", "t5"], [0.5, 0.25])
    assert [(store.replayable(user), store.backlog(user).untrained) for user in ("alice", "bob", "local")] == [
        (4, 3),
        (2, 1),
        (0, 0),
    ]
    assert [t.priority for t in store.traces_by_priority(10, "alice")] == [None, None, None, 0.5]


def test_the_backlog_says_since_when(store, make_trace):
    assert tuple(store.backlog()) == (0, None, 0)
    store.add_traces([make_trace(i, timestamp=100.0 + i) for i in range(5)])
    store.set_priorities(["t0", "t4"], [0.5, 0.5])
    store.set_aside({"t1": Reason("no")})
    assert tuple(store.backlog()) == (2, 102.0, 1)
    assert store.replayable() == 4


# ---------------------------------------------------------------- setting aside
def test_what_is_set_aside_is_not_read_until_what_it_needs_is_there(store, make_trace):
    store.add_traces([make_trace(i) for i in range(6)])
    store.set_priorities(["t0"], [0.5])
    why = {"t0": Reason("no a", "tool a"), "t2": Reason("no a", "tool a"), "t3": Reason("no b", "tool b"), "t5": Reason("broken")}
    store.set_aside(why | {"unknown": Reason("gone")})
    assert [t.id for t in store.traces_by_priority(10)] == ["t4", "t1"]
    assert dict(store.aside(10)) == {"t0": "no a", "t2": "no a", "t3": "no b", "t5": "broken"}
    assert len(store.aside(2)) == 2
    assert store.take_back({"tool c"}) == 0
    assert store.take_back({"tool a"}, "another") == 0
    assert store.take_back({"tool a"}) == 2
    assert [(t.id, t.priority) for t in store.traces_by_priority(10)] == [("t4", None), ("t2", None), ("t1", None), ("t0", 0.5)]
    assert store.take_back({"tool a", "tool b"}) == 1
    assert dict(store.aside(10)) == {"t5": "broken"}
    assert all(t.id in {f"t{i}" for i in range(6)} for t in store.traces())  # it stays in the store


UNREADABLE = (
    "outcome = 7",
    "outcome = -1e300",
    "outcome = 'good'",
    "embedding = x'000000ff'",
    "embedding = x'01'",
    "embedding = x''",
    "embedding = 'text'",
    "tools = 'no JSON'",
    "tools = '7'",
    "tools = 'null'",
    "tools = '{\"a\": 1}'",
    "context_tools = '{'",
    "context_tools = '\"mail\"'",
    "error = CAST(x'ff' AS TEXT)",
)
UNFIT = ("timestamp = 1e300", "tools = '[1, 2]'", "intent = x'ff'", "weight = 'heavy'", "duration_ms = -5", "capability = ''")


@pytest.mark.parametrize("damage", UNREADABLE + UNFIT)
def test_a_damaged_row_is_set_aside_and_all_others_are_read(sqlite_url, make_trace, damage):
    from shgat.store import Store

    with Store.open(sqlite_url, 8) as store:
        store.add_traces([make_trace(i) for i in range(8)])
        with store.database.write() as connection:
            connection.execute(sa.text(f"UPDATE traces SET {damage} WHERE id IN ('t7', 't3')"))
        assert [t.id for t in store.traces_by_priority(4)] == ["t6", "t5", "t4", "t2"]
        assert [t.id for t in store.traces_by_priority(10)] == ["t6", "t5", "t4", "t2", "t1", "t0"]
        reasons = dict(store.aside(10))
        assert reasons.keys() == {"t3", "t7"}
        assert all(reasons.values())
        assert (store.backlog().untrained, store.backlog().aside) == (6, 2)
        if damage in UNREADABLE:
            with pytest.raises(DamagedError, match=r"trace 't3'.*shgat db remove --trace t3"):
                list(store.traces())
        assert store.remove_traces(["t3"]) == 1
        assert store.backlog().aside == 1


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), n=st.integers(1, 30), needs=st.integers(1, 5))
def test_every_sound_trace_is_read_whatever_is_set_aside(store, make_trace, data, n, needs):
    """By whoever knows what: the traces that one catalogue cannot use wait for another."""
    with store.database.write() as connection:
        for table in reversed(METADATA.sorted_tables):
            if table.name != "meta":
                connection.execute(sa.delete(table))
    of = [data.draw(st.none() | st.integers(0, needs - 1)) for _ in range(n)]
    store.add_traces([make_trace(i) for i in range(n)])
    store.set_aside({f"t{i}": Reason("needs it", f"tool {need}") for i, need in enumerate(of) if need is not None})
    known = data.draw(st.sets(st.integers(0, needs - 1)))
    store.take_back({f"tool {need}" for need in known})
    expected = [f"t{i}" for i in reversed(range(n)) if of[i] is None or of[i] in known]
    assert [t.id for t in store.traces_by_priority(n)] == expected
