"""The journal: whatever comes in reaches the store once, in order, also when the store comes and goes, and nobody waits for it."""

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from people import until
from processes import forked
from shgat import Catalog
from shgat.errors import DimensionError, StoreError
from shgat.learning import journal as module
from shgat.learning import pending
from shgat.learning.entry import Entry
from shgat.learning.journal import Journal
from shgat.learning.ledger import Ledger
from shgat.learning.pending import RECENT, WAITING
from shgat.learning.receipt import Receipt
from shgat.store import Decision, Ranked, Store
from shgat.traces import Trace

D = 8
CATALOG = Catalog.from_records([{"id": f"t{i}", "embedding": np.eye(D, dtype=np.float32)[i]} for i in range(4)], [])


def decision(key, **changes):
    return Decision(**({"id": key, "ranked": (Ranked("t1", 1), Ranked("t2", 2)), "model_version": "v1", "intent": "i"} | changes))


def give(journal, key, **changes):
    """Gives feedback as a ranker does; its receipt."""
    entry = Entry("local", Trace(**({"id": key, "decision_id": key, "tools": ("t1",)} | changes)), None)
    known = journal.decision(key)
    return journal.executed(entry if known is None else entry.joined(known)).result(10)


class Away:
    """A store that cannot be reached until it is said to be back."""

    def __init__(self, url):
        self.url, self.back = url, False

    def __call__(self):
        if not self.back:
            raise StoreError("the store is away")
        return Store.open(self.url, D)


@pytest.fixture
def journal(tmp_path):
    """Makes journals and closes them at the end."""
    made = []

    def make(connect, catalog=CATALOG, folder=tmp_path / "journal"):
        made.append(Journal(connect, catalog, Ledger(folder)))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def connect(sqlite_url):
    return lambda: Store.open(sqlite_url, D)


def stored(one):
    until(lambda: not one.waiting)
    return one.store


def test_what_is_decided_is_written_in_the_background(journal, connect):
    one = journal(connect)
    for i in range(1200):
        one.decided(decision(f"d{i}"))
    assert [d.id for d in stored(one).decisions()] == [f"d{i}" for i in range(1200)]
    assert (one.troubles, one.dropped, one.behind) == ([], 0, False)


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


def test_a_store_of_another_dimension_is_refused_at_once(sqlite_url):
    Store.open(sqlite_url, D).close()
    before = threading.active_count()
    with pytest.raises(DimensionError, match="holds embeddings of 8 dimensions, not 9"):
        Journal(lambda: Store.open(sqlite_url, D + 1), CATALOG)
    assert threading.active_count() == before


def test_everything_that_is_executed_is_stored_once_whatever_else_is_written(journal, connect):
    """Decisions and their feedback are written by turns; neither takes the other along."""
    one, told = journal(connect), []
    one.stored = lambda: told.append(one.behind)

    def work(thread):
        receipts = []
        for i in range(150):
            key = f"{thread}-{i}"
            one.decided(decision(key))
            one.decided(decision(f"{key}-unanswered"))
            receipts.append(give(one, key))
        return receipts

    with ThreadPoolExecutor(8) as pool:
        receipts = [receipt for some in pool.map(work, range(8)) for receipt in some]
    store = stored(one)
    assert set(receipts) == {Receipt.DURABLE}
    assert {t.id for t in store.traces()} == {f"{thread}-{i}" for thread in range(8) for i in range(150)}
    assert store.counts()["decisions"] == 2400
    assert told
    assert not told[-1]  # what was told of is there


def test_feedback_is_in_the_store_after_its_decision_and_only_once(journal, connect):
    one = journal(connect)
    for i in range(50):
        one.decided(decision(f"d{i}"))
        assert give(one, f"d{i}")
    one.settle()
    assert [t.id for t in one.store.traces()] == [f"d{i}" for i in range(50)]
    assert not any(give(one, f"d{i}", tools=("t2",)) for i in range(50))
    another = journal(connect)
    assert give(another, "d7", tools=("t2",)) is Receipt.DURABLE  # it cannot know, and does not wait to
    assert {t.tools for t in stored(another).traces()} == {("t1",)}


def test_feedback_to_one_decision_from_many_threads_is_new_to_one_of_them(journal, connect):
    one = journal(connect)
    one.decided(decision("d"))
    with ThreadPoolExecutor(8) as pool:
        news = [bool(receipt) for receipt in pool.map(lambda _: give(one, "d"), range(8))]
    assert sorted(news) == [False] * 7 + [True]


def test_a_decision_is_known_at_once_and_long_after_it_has_left_what_is_at_hand(journal, connect):
    one = journal(connect)
    first = decision("first", embedding=np.arange(D, dtype=np.float32), context_tools=("t3", "t0"), session="s", user_id="alice")
    one.decided(first)
    assert one.decision("first") is first
    for i in range(RECENT):
        one.decided(decision(f"d{i}"))
    stored(one)
    assert one.decision("first") is None
    assert give(one, "first", error="slow") is Receipt.DURABLE
    trace = stored(one).trace("first")
    assert (trace.context_tools, trace.intent, trace.error) == (("t3", "t0"), "i", "slow")
    np.testing.assert_array_equal(trace.embedding, first.embedding)
    assert [t.id for t in one.store.traces_by_priority(5, "alice")] == ["first"]  # of the decision's user


# ---------------------------------------------------------------- other processes
def test_feedback_may_come_before_its_decision(journal, connect):
    one, other = journal(connect), journal(connect)
    assert give(one, "d") is Receipt.DURABLE
    assert (one.waiting, one.behind) == (1, False)
    other.decided(decision("d", intent="of the other"))
    assert stored(one).trace("d").intent == "of the other"
    assert one.without_decision == 0


def test_feedback_whose_decision_never_comes_is_kept_without_an_intent(journal, connect, monkeypatch, caplog):
    monkeypatch.setattr(pending, "PATIENCE", 0.3)
    one = journal(connect)
    assert give(one, "d")
    trace = stored(one).trace("d")
    assert (trace.tools, trace.intent, trace.embedding) == (("t1",), "", None)
    assert one.without_decision == 1
    assert caplog.text.count("no process stored such a decision") == 1


KILLED = """
import os, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from learning.test_journal import *
def away():
    raise StoreError("away")
one = Journal(away, CATALOG, Ledger(Path(sys.argv[2])))
for i in range(20):
    one.decided(decision(f"d{i}", embedding=np.full(D, i)))
print(*[give(one, key) for key in (*(f"d{i}" for i in range(20)), "another's")], flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_was_durable_when_its_process_was_killed_is_stored_by_the_next_one(journal, connect, sqlite_url, tmp_path):
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-c", KILLED, sqlite_url, tmp_path / "journal", tests]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert killed.stdout.split() == ["durable"] * 21, killed.stderr
    folder = tmp_path / "journal"
    (path,) = folder.glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'{"user_id": "local", "tra')  # the last line is torn
    one = journal(connect)
    until(lambda: one.store.counts()["traces"] == 20)
    assert all(one.store.trace(f"d{i}").embedding[0] == i for i in range(20))
    assert one.store.counts()["decisions"] == 20
    with connect() as store:
        store.add_decision(decision("another's"))
    assert stored(one).trace("another's") is not None
    assert not list(folder.glob("*.jsonl"))


def test_a_line_that_was_altered_holds_up_no_other(journal, connect, tmp_path, caplog):
    (tmp_path / "journal").mkdir()
    good = Entry("local", Trace(id="good", decision_id="good", tools=("t1",)), None).joined(decision("good"))
    other = Entry("local", Trace(id="wide", decision_id="wide", embedding=np.ones(D + 1), tools=("t1",)), None)
    wide = other.joined(decision("wide", embedding=np.ones(D + 1)))
    (tmp_path / "journal" / "1-a.jsonl").write_bytes(b"no line\n" + wide.to_line() + good.to_line())
    one = journal(connect)
    until(lambda: one.store.trace("good") is not None)
    until(lambda: not list((tmp_path / "journal").glob("*.jsonl")))
    assert "no entry of a journal" in caplog.text
    assert (one.refused, one.trouble) == (2, "")  # a decision and its feedback of another dimension


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_writes_what_comes_to_it_and_leaves_the_parents_to_the_parent(journal, sqlite_url):
    away = Away(sqlite_url)
    one = journal(away)
    one.decided(decision("mine"))
    assert give(one, "mine")

    def child():
        away.back = True
        assert (one.waiting, one.decision("mine").id) == (0, "mine")
        one.start()
        one.decided(decision("theirs"))
        assert give(one, "theirs") is Receipt.DURABLE
        assert give(one, "mine") is Receipt.KNOWN
        stored(one)
        one.close()
        return True

    assert forked(child)
    with Store.open(sqlite_url) as store:
        assert [t.id for t in store.traces()] == ["theirs"]
        away.back = True
        until(lambda: not one.waiting)
        assert [t.id for t in store.traces()] == ["theirs", "mine"]


# ---------------------------------------------------------------- a store that is away
@pytest.mark.timeout(60)
def test_nobody_waits_for_a_store_that_is_locked(journal, connect, tmp_path):
    one = journal(connect)
    one.decided(decision("first"))
    stored(one)
    lock = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    one.decided(decision("second"))
    until(one._turn.locked)  # the thread waits for the store
    for key in ("first", "second", "another's"):
        assert give(one, key) is Receipt.DURABLE
        assert one._turn.locked()  # and still does
    assert one.waiting == 4
    lock.execute("ROLLBACK")
    lock.close()
    until(lambda: one.waiting == 1)
    assert [t.id for t in one.store.traces()] == ["first", "second"]


def test_what_comes_in_while_the_store_is_away_is_kept_and_written_when_it_is_back(journal, sqlite_url):
    away = Away(sqlite_url)
    one = journal(away)
    for i in range(3):
        one.decided(decision(f"d{i}"))
    assert give(one, "d1") is Receipt.DURABLE
    assert give(one, "d1") is Receipt.KNOWN
    assert (one.waiting, one.behind, one.troubles) == (4, True, ["the store is away"])
    with pytest.raises(StoreError, match="away"):
        one.settle()
    away.back = True
    until(lambda: not one.trouble and not one.waiting, 10.0)
    assert not one.behind
    assert [d.id for d in one.store.decisions()] == ["d1", "d0", "d2"]  # with its feedback goes the decision
    assert [t.id for t in one.store.traces()] == ["d1"]
    assert not give(one, "d1")


def test_the_oldest_decisions_are_dropped_where_too_many_wait(journal, sqlite_url):
    away = Away(sqlite_url)
    one = journal(away, folder=None)
    for i in range(WAITING + 3):
        one.decided(decision(f"d{i}"))
    assert (one.waiting, one.dropped) == (WAITING, 3)
    away.back = True
    assert next(stored(one).decisions()).id == "d3"
    assert one.store.counts()["decisions"] == WAITING


def test_without_a_journal_on_the_disk_feedback_waits(journal, connect):
    one = journal(connect, folder=None)
    one.decided(decision("d"))
    assert give(one, "d") is Receipt.WAITING
    assert stored(one).trace("d") is not None


def test_closing_writes_what_is_left(connect):
    one = Journal(connect, CATALOG)
    for i in range(700):
        one.decided(decision(f"d{i}"))
    one.close()
    with connect() as store:
        assert store.counts()["decisions"] == 700


def test_closing_where_the_store_is_away_leaves_everything_to_whoever_comes_next(journal, connect, sqlite_url, tmp_path):
    one = Journal(Away(sqlite_url), CATALOG, Ledger(tmp_path / "journal"))
    one.decided(decision("answered"))
    one.decided(decision("unanswered"))
    assert give(one, "answered")
    one.close()
    next_one = journal(connect)
    until(lambda: next_one.store.counts()["decisions"] == 2)
    until(lambda: [t.id for t in next_one.store.traces()] == ["answered"])
    until(lambda: not list((tmp_path / "journal").glob("*.jsonl")))


def test_closing_without_a_journal_says_what_is_lost(sqlite_url, caplog):
    one = Journal(Away(sqlite_url), CATALOG)
    one.decided(decision("d"))
    one.close()
    assert one.waiting == 1
    assert "1 decisions and traces are lost" in caplog.text


def test_many_files_are_adopted_some_at_a_time(journal, connect, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ADOPTED", 10)
    (tmp_path / "journal").mkdir()
    for f in range(5):
        keys = [f"f{f}-{i}" for i in range(20)]
        some = [Entry("local", Trace(id=k, decision_id=k, tools=("t1",)), None).joined(decision(k)).to_line() for k in keys]
        (tmp_path / "journal" / f"1-{f}.jsonl").write_bytes(b"".join(some))
    one = journal(connect)
    until(lambda: one.store.counts()["traces"] == 100)
    until(lambda: not list((tmp_path / "journal").glob("*.jsonl")))


def test_another_catalogue_takes_the_place_of_the_one_before(journal, connect):
    written = journal(connect)
    until(lambda: written.store.counts()["tools"] == 4)
    more = Catalog.from_records([{"id": "t9", "embedding": np.eye(D, dtype=np.float32)[5]}])
    written.keep(more.renamed("t9", "t10"))
    until(lambda: written.store.counts()["tools"] == 5)
    until(lambda: written.store.former_ids() == {"t9": "t10"})
