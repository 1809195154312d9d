"""Principals beside the answers: nobody waits for the store, nobody hears of another's feedback, and memory is bounded."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from people import executed
from processes import forked
from shgat import SHGAT
from shgat.errors import InputError, StoreError
from shgat.learning.journal import Journal
from shgat.learning.principals import Principals
from shgat.model.evidence import Execution, Recent
from shgat.registry import ServedVersion, Slots
from shgat.store import Store
from shgat.traces import Trace


@pytest.fixture
def journal(sqlite_url, catalog):
    journal = Journal(lambda: Store.open(sqlite_url, catalog.dimension), catalog)
    yield journal
    journal.close()


@pytest.fixture
def make(journal, catalog):
    made = []

    def principals(**options):
        slots = Slots(ServedVersion("untrained", 0, SHGAT.from_catalog(catalog)))
        made.append(Principals(journal, "local", Recent(), slots, **options))
        return made[-1]

    yield principals
    for one in made:
        one.close()


@pytest.fixture
def index(make):
    return make()._slots.production.model.index()


def contrary(catalog, n, tool=40, near=3, start=0):
    """Executions near one tool that ran another, with an hour of their own."""
    rng, row = np.random.default_rng(start), catalog.tool_embeddings[near]
    noise = 0.02 * rng.standard_normal((n, len(row))).astype(np.float32)
    return [Execution(f"e{start + i}", row + noise[i], "do it", (catalog.tools[tool].id,), 1.0, "", 1000.0 + i) for i in range(n)]


def stored(store, executions, principal):
    store.add_traces([
        Trace(id=e.id, intent=e.text, embedding=e.x, tools=e.tools, timestamp=e.timestamp, principal=principal) for e in executions
    ])  # fmt: skip


def test_what_one_ran_counts_for_it_at_once_and_for_nobody_else(make, catalog, index):
    principals = make()
    for e in contrary(catalog, 5):
        principals.executed("a", e, (), index)
    assert len(principals.evidence("a", index).fresh) == 5
    assert principals.evidence("b", index) is None
    assert principals.evidence("", index) is None
    principals.executed("", contrary(catalog, 1, start=50)[0], (), index)
    assert [len(principals.evidence(p, index).fresh) for p in ("a", "b", "")] == [6, 1, 1]
    assert principals.evidence("b", index) is principals.evidence("", index)
    principals.forget(["e0", "e1", "e50"])
    assert len(principals.evidence("a", index).fresh) == 3
    assert principals.evidence("b", index) is None


def test_a_habit_passes_its_gate_beside_the_answers(make, catalog, index):
    principals = make()
    for e in contrary(catalog, 30):
        assert getattr(principals.evidence("a", index), "own", None) is None or principals.about("a")["gate"]["n"] >= 20
        principals.executed("a", e, ("nobody knows it",), index)
    principals.settle()
    assert principals.evidence("a", index).own is not None
    assert principals.stats()["counting"] == 1
    assert principals.about("a")["gate"]["n"] == 30


def test_who_comes_back_is_read_from_the_store_and_no_request_waits(make, journal, catalog, index):
    stored(journal.store, contrary(catalog, 40), "a")
    principals = make()
    with principals._turn:  # the store is slow
        assert principals.evidence("a", index) is None
    principals.settle()
    assert principals.evidence("a", index).own is not None
    about = principals.about("a")
    assert (about["executions"], about["counts"], about["read"]) == (40, True, True)


def test_memory_is_bounded_and_what_is_forgotten_comes_back(make, journal, catalog, index):
    stored(journal.store, contrary(catalog, 40), "a")
    principals = make(most=300_000)
    assert principals.about("a")["counts"]
    for i in range(200):
        for e in contrary(catalog, 2, start=1000 + 10 * i):
            principals.executed(f"p{i}", e, (), index)
    principals.settle()
    stats = principals.stats()
    assert 0 < stats["bytes"] <= stats["most_bytes"] == 300_000
    assert stats["in_memory"] < 201
    assert stats["evicted"] >= 201 - stats["in_memory"]
    assert stats["bytes"] == sum(principals._sizes.values()) == sum(h.bytes for h in principals._known.values())
    assert principals.about("a")["counts"]


def test_what_is_decided_holds_for_all_processes_and_can_be_taken_back(make, journal, catalog, index):
    stored(journal.store, contrary(catalog, 40), "a")
    one, other = make(), make()
    assert one.about("a")["counts"]
    assert other.about("a")["counts"]
    first = one.reset("a", why="a flood")
    assert one.evidence("a", index) is None
    assert other.about("a")["executions"] == 0
    one.pin("a", "off")
    assert [m.action for m in one.history("a")] == ["reset", "pin"]
    one.undo("a")
    assert (one.about("a")["mode"], one.about("a")["executions"]) == ("gated", 0)
    one.undo("a")
    assert one.about("a")["mode"] == "off"
    one.pin("a", "gated")
    stored(journal.store, [replace(contrary(catalog, 1)[0], id="new", timestamp=first.since + 1.0)], "a")
    assert one.about("a")["executions"] == 1
    assert len(journal.store.traces_of_principal("a", 0.0, 99)) == 41  # nothing is lost
    one.reset("b")
    assert one.undo("b").since == 0.0


@pytest.mark.parametrize("name", ["", "a\0b", 7, None])
def test_what_is_no_principal_is_refused(make, name):
    for call in (make().about, make().reset, make().undo, make().history, lambda p: make().pin(p, "off")):
        with pytest.raises(InputError, match="principal"):
            call(name)


def test_what_cannot_be_decided_is_refused(make):
    with pytest.raises(InputError, match="mode"):
        make().pin("a", "sometimes")
    with pytest.raises(InputError, match="nothing was decided"):
        make().undo("a")


def test_a_store_that_is_away_is_named_and_asked_again(catalog, tmp_path, index):
    away = [True]

    def connect():
        if away[0]:
            raise StoreError("it is away")
        return Store.open(f"sqlite:///{tmp_path}/late.db", catalog.dimension)

    journal = Journal(connect, catalog)
    principals = Principals(journal, "local", Recent(), Slots(ServedVersion("untrained", 0, SHGAT.from_catalog(catalog))))
    assert principals.evidence("a", index) is None
    principals.settle()
    assert "away" in principals.trouble
    with pytest.raises(StoreError):
        principals.about("a")
    away[0] = False
    stored(journal.store, contrary(catalog, 40), "a")
    principals._looked.clear()  # the pause is over
    principals.evidence("a", index)
    principals.settle()
    assert principals.evidence("a", index).own is not None
    assert principals.trouble == ""
    principals.close()
    journal.close()


def test_too_much_at_once_is_counted_and_still_heard(make, catalog, index, monkeypatch):
    from shgat.learning import principals as module

    monkeypatch.setattr(module, "WAITING", 3)
    principals = make()
    with principals._turn:
        for e in contrary(catalog, 20):
            principals.executed("a", e, (), index)
    assert principals.stats()["dropped"] > 0
    assert len(principals.evidence("a", index).fresh) == 20


def test_many_threads_and_a_forked_child(make, catalog, index):
    principals, faults = make(), []

    def work(n):
        try:
            for e in contrary(catalog, 10, start=100 * n):
                principals.executed(f"p{n % 3}", e, (), index)
                principals.evidence(f"p{n % 3}", index)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    principals.settle()
    assert faults == []
    assert sum(len(h.kept.ids) for h in principals._known.values()) == 80

    def child():
        assert len(principals.evidence("p1", index).fresh) == 30
        principals.executed("p1", contrary(catalog, 1, start=5000)[0], (), index)
        principals.settle()
        return "e5000" in principals._known["p1"].kept.ids

    assert forked(child)


@pytest.mark.slow
def test_people_who_do_as_all_do_gain_and_lose_nothing(make, journal, people, index):
    """Nearly: shared scores that know nothing yet leave something to gain."""
    model = SHGAT.from_catalog(index.catalog)
    model.fit(executed(people[:300]), seed=0)
    journal.store.add_traces(
        [Trace(**{**vars(t), "principal": "usual", "id": f"u{i}"}) for i, t in enumerate(executed(people[300:]))]
    )
    principals = make()
    principals._slots.put(ServedVersion("v1", 1, model))
    about = principals.about("usual")
    assert about["gate"]["n"] == 100
    assert not about["counts"], about
    assert principals.evidence("usual", model.index()) is None
