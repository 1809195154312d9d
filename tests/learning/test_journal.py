"""The journal: whatever comes in reaches the store once, in order, also when the store comes and goes."""

import threading

import numpy as np
import pytest

from people import until
from shgat import Catalog
from shgat.errors import InputError, StoreError
from shgat.learning.journal import RECENT, WAITING, Journal
from shgat.store import Decision, Ranked, Store
from shgat.traces import Trace

D = 8
CATALOG = Catalog.from_records([{"id": f"t{i}", "embedding": np.eye(D, dtype=np.float32)[i]} for i in range(4)], [])


def decision(key, **changes):
    return Decision(**({"id": key, "ranked": (Ranked("t1", 1), Ranked("t2", 2)), "model_version": "v1", "intent": "i"} | changes))


def feedback(key, **changes):
    return Trace(**({"id": key, "decision_id": key, "tools": ("t1",)} | changes))


class Away:
    """A store that cannot be reached until it is said to be back."""

    def __init__(self, url):
        self.url, self.back = url, False

    def __call__(self):
        if not self.back:
            raise StoreError("the store is away")
        return Store.open(self.url, D)


@pytest.fixture
def journal():
    """Makes journals and closes them at the end."""
    made = []

    def make(connect, catalog=CATALOG):
        made.append(Journal(connect, catalog))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def connect(sqlite_url):
    return lambda: Store.open(sqlite_url, D)


def test_what_is_decided_is_written_in_the_background(journal, connect):
    one = journal(connect)
    for i in range(1200):
        one.decided(decision(f"d{i}"))
    until(lambda: one.waiting == 0)
    assert [d.id for d in one.store.decisions()] == [f"d{i}" for i in range(1200)]
    assert (one.trouble, one.dropped, one.behind) == ("", 0, False)


def test_the_catalogue_is_written_first_of_all(journal, connect):
    one = journal(connect)
    until(lambda: one.store.counts()["tools"] == 4)
    assert not one.store.keep_catalog(CATALOG)


def test_a_catalogue_that_no_store_takes_holds_nothing_up(journal, connect, caplog):
    one = journal(connect, Catalog.from_records([{"id": "a", "text": "nul \0", "embedding": np.ones(D, np.float32)}], []))
    one.decided(decision("d"))
    until(lambda: one.store.decision("d") is not None)
    assert "the catalogue is not kept in the store" in caplog.text
    assert one.trouble == ""


def test_feedback_is_in_the_store_after_its_decision_and_only_once(journal, connect):
    one = journal(connect)
    for i in range(50):
        one.decided(decision(f"d{i}"))
        assert one.executed(feedback(f"d{i}"))
        assert one.store.decision(f"d{i}") is not None
        assert one.store.trace(f"d{i}") is not None
    assert not any(one.executed(feedback(f"d{i}", tools=("t2",))) for i in range(50))
    another = journal(connect)
    assert not another.executed(feedback("d7", tools=("t2",)))
    assert {t.tools for t in one.store.traces()} == {("t1",)}


def test_feedback_to_one_decision_from_many_threads_is_new_to_one_of_them(journal, connect):
    one = journal(connect)
    one.decided(decision("d"))
    news = []
    threads = [threading.Thread(target=lambda: news.append(one.executed(feedback("d")))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(news) == [False] * 7 + [True]


def test_a_decision_is_known_at_once_and_long_after_it_has_left_what_is_at_hand(journal, connect):
    one = journal(connect)
    first = decision("first", embedding=np.arange(D, dtype=np.float32), context_tools=("t3", "t0"), session="s")
    one.decided(first)
    assert one.decision("first") is first
    for i in range(RECENT):
        one.decided(decision(f"d{i}"))
    until(lambda: one.store.decision("first") is not None)
    found = one.decision("first")
    assert found is not first
    assert (found.context_tools, found.intent, found.session) == (("t3", "t0"), "i", "s")
    np.testing.assert_array_equal(found.embedding, first.embedding)
    with pytest.raises(InputError, match="there is no decision 'nothing'"):
        one.decision("nothing")


def test_what_comes_in_while_the_store_is_away_is_kept_and_written_when_it_is_back(journal, sqlite_url):
    away = Away(sqlite_url)
    one = journal(away)
    for i in range(3):
        one.decided(decision(f"d{i}"))
    assert one.executed(feedback("d1"))
    assert not one.executed(feedback("d1"))
    assert (one.waiting, one.behind, one.trouble) == (4, True, "the store is away")
    assert one.decision("d1").id == "d1"
    with pytest.raises(StoreError, match="away"):
        one.decision("another's")
    away.back = True
    until(lambda: not one.trouble and not one.waiting, 10.0)
    assert not one.behind
    assert [d.id for d in one.store.decisions()] == ["d1", "d0", "d2"]  # with its feedback goes the decision
    assert [t.id for t in one.store.traces()] == ["d1"]
    assert not one.executed(feedback("d1"))


def test_the_oldest_decisions_are_dropped_where_too_many_wait(journal, sqlite_url):
    away = Away(sqlite_url)
    one = journal(away)
    for i in range(WAITING + 3):
        one.decided(decision(f"d{i}"))
    assert (one.waiting, one.dropped) == (WAITING, 3)
    away.back = True
    until(lambda: not one.waiting)
    assert next(one.store.decisions()).id == "d3"
    assert one.store.counts()["decisions"] == WAITING


def test_feedback_is_refused_and_never_dropped_where_too_much_waits(journal, sqlite_url):
    away = Away(sqlite_url)
    one = journal(away)
    for i in range(WAITING):
        assert one.executed(feedback(f"d{i}"))
    with pytest.raises(StoreError, match=f"{WAITING} traces are waiting for the store: the store is away"):
        one.executed(feedback("one too many"))
    assert not one.executed(feedback("d0"))
    away.back = True
    until(lambda: not one.waiting)
    assert one.store.counts()["traces"] == WAITING


def test_closing_writes_what_is_left(connect):
    one = Journal(connect, CATALOG)
    for i in range(700):
        one.decided(decision(f"d{i}"))
    one.close()
    with connect() as store:
        assert store.counts()["decisions"] == 700


def test_closing_where_the_store_is_away_ends(sqlite_url):
    one = Journal(Away(sqlite_url), CATALOG)
    one.decided(decision("d"))
    one.close()
    assert one.waiting == 1
