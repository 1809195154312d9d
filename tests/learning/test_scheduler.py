"""The loop beside the answers: when it trains and with what, whom it leaves a training to, and how it gets over failures."""

import os
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from people import executed, until
from processes import children, forked
from shgat import SHGAT
from shgat.errors import ShgatError, StoreError, WorkerError
from shgat.learning import scheduler as module
from shgat.learning.journal import Journal
from shgat.learning.learner import Learner
from shgat.learning.scheduler import AGAIN, BATCH, FIRST, LIVE, REFRESH, Scheduler
from shgat.registry import ServedVersion, Slots, Versions
from shgat.store import Retention, Store
from shgat.worker import Child
from worlds import opened

FAILING = ("/bin/sh", "-c", "exit 3")


@pytest.fixture
def schedule(sqlite_url, catalog):
    """Makes schedulers over one store and closes them at the end."""
    made = []

    def scheduler(mode="off", debounce=0.0, url=sqlite_url, clock=time.time, child=None, retention=None, user="local", **options):
        journal = Journal(lambda: Store.open(url, catalog.dimension, clock=clock), catalog)
        learner = Learner(Versions(catalog, user), child or Child(timeout=60, **options), 0)
        slots = Slots(ServedVersion("untrained", 0, SHGAT.from_catalog(catalog)))
        made.append((Scheduler(journal, learner, slots, mode, debounce, retention), journal))
        return made[-1][0]

    yield scheduler
    for one, journal in made:
        one.close()
        journal.close()


# ---------------------------------------------------------------- when, and with what
def test_it_trains_when_asked_where_there_is_something_new(schedule, store, people):
    scheduler = schedule()
    assert scheduler.maybe_train() is None
    store.add_traces(executed(people[:30]))
    training = scheduler.maybe_train()
    assert (training.traces, training.version) == (30, 1)
    assert (scheduler.slots.production.name, scheduler.slots.swaps) == ("v1", 1)
    assert scheduler.last is training
    assert scheduler.maybe_train() is None
    stats = scheduler.stats()
    assert stats["training"] is False
    assert stats["last_training"] == training.to_dict()
    assert sorted(training.ids) == sorted(t.id for t in executed(people[:30]))
    assert sum(stats["trainings"].values()) == 1


def test_live_it_trains_by_itself_on_notice(schedule, store, people):
    scheduler = schedule("live")
    store.add_traces(executed(people[:30]))
    scheduler.notice()
    until(lambda: scheduler.slots.production.name == "v1")
    assert scheduler.trouble == ""


def test_off_it_does_not_train_on_notice(schedule, store, people, recorder):
    recorder = recorder()
    store.add_traces(executed(people[:5]))
    scheduler = schedule(command=recorder.command)
    scheduler.notice()
    assert scheduler.maybe_train().traces == 5
    assert len(recorder.jobs) == 1


def test_a_model_that_has_learned_nothing_begins_with_a_batch_when_there_are_traces_enough(schedule, store, people, recorder):
    recorder = recorder()
    scheduler = schedule(command=recorder.command)
    plans = []
    more = FIRST + FIRST // 4
    for start, stop in ((0, FIRST - 1), (FIRST - 1, FIRST), (FIRST, more - 1), (more - 1, more)):
        store.add_traces(executed(people[start:stop], start))
        training = scheduler.maybe_train()
        config = recorder.jobs[-1]["config"]
        plans.append((training.traces, config["epochs"], config["fromScratch"]))
    live, batch = (LIVE.epochs, False), (BATCH.epochs, True)
    assert plans == [
        (FIRST - 1, *live),
        (FIRST, *batch),
        (LIVE.traces, *live),
        (more, *batch),
    ]  # a quarter more, and it is tried again


def test_a_model_that_has_learned_goes_on_from_there(schedule, store, trained, people, recorder):
    recorder = recorder()
    store.put_model(trained.model.to_bytes(), {})
    store.add_traces(executed(people[:150]))
    scheduler = schedule(command=recorder.command)
    assert scheduler.maybe_train().traces == LIVE.traces
    assert recorder.jobs[0]["config"]["fromScratch"] is False


def test_a_fitted_model_begins_anew_at_half_more_traces_than_it_was_fitted_on(schedule, store, trained, people, recorder):
    recorder = recorder()
    store.put_model(trained.model.to_bytes(), {})
    enough = round(AGAIN * trained.model.report["n_traces"])
    traces = [replace(t, id=f"q{i}") for i, t in enumerate(executed(people * 2)[:enough])]
    scheduler = schedule(command=recorder.command)
    for start, stop, anew in ((0, enough - 1, False), (enough - 1, enough, True)):
        store.add_traces(traces[start:stop])
        scheduler.maybe_train()
        assert recorder.jobs[-1]["config"]["fromScratch"] is anew


def test_a_batch_waits_until_the_model_is_an_hour_old(schedule, store, people, recorder):
    recorder = recorder()
    store.put_model(opened(SHGAT.from_catalog(schedule().slots.production.model.catalog)).to_bytes(), {})
    store.add_traces(executed(people[:20]))
    now = time.time()
    young = schedule("batch", clock=lambda: now + 3500, command=recorder.command)
    assert young.maybe_train() is None
    old = schedule("batch", clock=lambda: now + 3700, command=recorder.command)
    until(lambda: old.last is not None)
    assert recorder.jobs[0]["config"] == {"epochs": BATCH.epochs, "seed": 0, "fromScratch": True}


def test_live_it_goes_on_while_there_is_something_to_learn(schedule, store, people, recorder, monkeypatch):
    """A burst, then silence: nobody gives it notice again."""
    monkeypatch.setattr("shgat.learning.scheduler.FIRST", 1000)  # no training from scratch, which would learn from all at once
    recorder = recorder()
    batch = executed(people[:300])
    store.add_traces(batch)
    store.put_model(opened(SHGAT.from_catalog(schedule().slots.production.model.catalog)).to_bytes(), {})
    scheduler = schedule("live", command=recorder.command)
    until(lambda: store.backlog().untrained == 0)
    assert len(recorder.jobs) > 1
    until(lambda: scheduler.stats()["backlog"] == {"traces": 0, "oldest": None})
    n = len(recorder.jobs)
    time.sleep(0.5)
    assert len(recorder.jobs) == n  # and then it rests


def test_the_backlog_is_said_with_its_age(schedule, store, people, monkeypatch):
    monkeypatch.setattr("shgat.learning.scheduler.FIRST", 1000)
    traces = [replace(t, timestamp=1000.0 + i) for i, t in enumerate(executed(people[:60]))]
    store.add_traces(traces)
    scheduler = schedule()
    assert scheduler.stats()["backlog"] == {"traces": 60, "oldest": 1000.0}
    scheduler.maybe_train()
    until(lambda: scheduler.stats()["backlog"] == {"traces": 10, "oldest": 1000.0})  # the newest were taken first


def test_damaged_traces_stop_nothing_and_are_named(schedule, store, people):
    store.add_traces(executed(people[:30]))
    with store.database.write() as connection:
        connection.execute(sa.text("UPDATE traces SET embedding = x'000000ff' WHERE id = 'p29'"))
        connection.execute(sa.text("UPDATE traces SET timestamp = 1e300 WHERE id = 'p7'"))
    scheduler = schedule()
    assert scheduler.maybe_train().traces == 28
    aside = scheduler.stats()["set_aside"]
    assert aside["traces"] == 2
    assert {item["id"] for item in aside["latest"]} == {"p29", "p7"}
    assert all("shgat db remove --trace" in item["reason"] for item in aside["latest"])
    assert scheduler.maybe_train() is None
    assert store.remove_traces(["p29", "p7"]) == 2
    until(lambda: scheduler.stats()["set_aside"] == {"traces": 0, "latest": []})


def test_each_user_learns_from_what_is_the_users(schedule, store, people):
    store.add_traces(executed(people[:20]), "bob")
    alice, bob = schedule(user="alice"), schedule(user="bob")
    assert alice.maybe_train() is None
    assert bob.maybe_train().traces == 20


def test_the_store_is_kept_to_its_bounds_by_one_of_many(schedule, store, people, monkeypatch, recorder):
    monkeypatch.setattr(module, "RETAIN", 0.1)
    store.add_traces(executed(people[:50]))
    command = recorder().command
    many = [schedule(retention=Retention(traces=10), command=command) for _ in range(3)]
    assert many[0].maybe_train().traces == 50
    until(lambda: store.counts()["traces"] == 10)
    assert {t.id for t in store.traces()} == {f"p{i}" for i in range(40, 50)}
    until(lambda: all(one.stats()["store"]["traces"] == 10 for one in many))
    assert [one.trouble for one in many] == [""] * 3


@pytest.mark.slow
def test_without_bounds_everything_is_kept(schedule, store, people, monkeypatch):
    monkeypatch.setattr(module, "RETAIN", 0.05)
    traces = executed(people[:50])
    store.add_traces([replace(t, priority=0.5) for t in traces])
    schedule()
    time.sleep(1.5 * REFRESH)
    assert store.counts()["traces"] == 50


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_takes_over_what_the_parent_learns(schedule, store, people, recorder):
    """Also where it forked in the middle of a training, whose lock and whose child are the parent's."""
    store.add_traces(executed(people[:5]))
    scheduler = schedule("live", command=("/bin/sh", "-c", "exec sleep 600"))
    until(lambda: scheduler.training)
    started_by_parent = children()

    def child():
        assert not scheduler.training
        scheduler.start()
        version = opened(SHGAT.from_catalog(scheduler.slots.production.model.catalog), 3).to_bytes()
        scheduler._journal.store.put_model(version, {})
        until(lambda: scheduler.slots.production.name == "v1")
        scheduler.close()
        return True

    assert forked(child)
    assert scheduler.training
    assert set(started_by_parent) <= set(children())


# ---------------------------------------------------------------- other processes
def test_a_training_that_another_process_has_claimed_is_left_to_it(schedule, store, people):
    store.add_traces(executed(people[:30]))
    assert store.claim("another", seconds=3600.0)
    scheduler = schedule()
    assert scheduler.maybe_train() is None
    assert scheduler.elsewhere
    live = schedule("live")
    until(lambda: live.elsewhere)
    assert live.trouble == ""
    assert scheduler.slots.production.name == live.slots.production.name == "untrained"
    assert store.release("another")
    until(lambda: live.slots.production.name == "v1")  # tried again by itself
    assert not live.elsewhere
    assert scheduler.maybe_train() is None
    assert not scheduler.elsewhere


def test_what_another_process_stored_is_taken_over(schedule, store, catalog):
    scheduler = schedule()
    assert not scheduler.refresh()
    data = [opened(SHGAT.from_catalog(catalog, seed=s), s).to_bytes() for s in (1, 2)]
    store.put_model(data[0], {})
    assert schedule().slots.production.name == "v1"  # one that starts now has it from the start
    until(lambda: scheduler.slots.production.name == "v1")  # by itself
    assert not scheduler.refresh()
    store.put_model(data[1], {})
    store.activate_model(1)
    assert not scheduler.refresh()  # it came and went
    assert scheduler.slots.swaps == 1


def test_a_training_goes_on_from_what_another_process_stored_a_moment_ago(schedule, store, people, recorder, catalog):
    recorder = recorder()
    store.add_traces(executed(people[:5]))
    scheduler = schedule(command=recorder.command)
    made = opened(SHGAT.from_catalog(catalog))
    store.put_model(made.to_bytes(), {})
    scheduler.maybe_train()
    assert SHGAT.load(recorder.model).params.buffer.tobytes() == made.params.buffer.tobytes()


# ---------------------------------------------------------------- failures
def test_a_training_that_fails_is_counted_and_nothing_is_swapped(schedule, store, people):
    store.add_traces(executed(people[:5]))
    scheduler = schedule(command=FAILING)
    with pytest.raises(WorkerError, match="exit code 3"):
        scheduler.maybe_train()
    assert scheduler.trainings == {"accepted": 0, "refused": 0, "failed": 1}
    assert (scheduler.last, scheduler.slots.swaps, scheduler.training) == (None, 0, False)


@pytest.mark.slow
def test_a_loop_whose_trainings_fail_says_so_and_tries_again(schedule, store, people, tmp_path, recorder):
    recorder = recorder()
    broken = tmp_path / "broken"
    broken.touch()
    store.add_traces(executed(people[:5]))
    given = ("/bin/sh", "-c", f'test -e {broken} && exit 3; exec "$0" "$@"', *recorder.command)
    scheduler = schedule("live", command=given)
    until(lambda: "exit code 3" in scheduler.trouble)
    assert scheduler.slots.production.name == "untrained"
    broken.unlink()
    until(lambda: scheduler.last is not None)
    until(lambda: scheduler.trouble == "")
    assert scheduler.trainings["failed"] >= 1


def test_a_warm_child_that_is_killed_holds_up_no_training(schedule, store, people):
    child = Child(timeout=60)
    scheduler = schedule("live", child=child)
    until(lambda: child.pid is not None)
    killed = child.pid
    os.kill(killed, signal.SIGKILL)
    store.add_traces(executed(people[:30]))
    scheduler.notice()
    until(lambda: scheduler.slots.production.name == "v1")
    assert child.pid not in (None, killed)
    assert not Path(f"/proc/{killed}").exists()


def test_where_every_version_is_damaged_the_one_that_serves_is_gone_on_from(schedule, store, people, recorder, catalog):
    recorder = recorder()
    scheduler = schedule(command=recorder.command)
    store.put_model(b"no model file", {})
    with pytest.raises(StoreError, match="damaged; train anew"):
        scheduler.refresh()
    assert "damaged" in schedule().trouble
    store.add_traces(executed(people[:5]))
    assert scheduler.maybe_train().version == 2
    assert scheduler.slots.production.name == "v2"
    untrained = SHGAT.from_catalog(catalog)
    assert SHGAT.load(recorder.model).params.buffer.tobytes() == untrained.params.buffer.tobytes()
    assert schedule().trouble == ""


@pytest.mark.slow
def test_a_store_that_is_away_at_first_is_learned_from_when_it_is_there(schedule, people, tmp_path, catalog, recorder):
    url = f"sqlite:///{tmp_path / 'later.db'}"
    with closing(sqlite3.connect(tmp_path / "later.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        scheduler = schedule("live", url=url, command=recorder().command)
        assert scheduler.trouble
        with pytest.raises(ShgatError):
            scheduler.maybe_train()
        other.execute("ROLLBACK")
    with Store.open(url, catalog.dimension) as store:
        store.add_traces(executed(people[:5]))
    scheduler.notice()  # it may have looked between the two
    until(lambda: scheduler.last is not None)
    until(lambda: scheduler.trouble == "")


def test_closing_ends_a_training_that_is_under_way(schedule, store, people):
    store.add_traces(executed(people[:5]))
    scheduler = schedule("live", command=("/bin/sh", "-c", "exec sleep 600"))
    until(lambda: scheduler.training)
    scheduler.close()
    assert not scheduler.training
    assert {t.priority for t in store.traces()} == {None}


def test_what_was_trained_on_another_catalogue_serves_on_the_one_of_now(schedule, store, people, catalog):
    scheduler = schedule()
    less = catalog.without(catalog.tools[0].id)
    scheduler.move(less)
    assert scheduler.slots.production.model.catalog is less
    store.add_traces(executed(people[:20]))
    assert scheduler.maybe_train().version == 1
    assert scheduler.slots.production.model.catalog is less
    scheduler._place(ServedVersion("v9", 9, SHGAT.from_catalog(catalog)))  # one that took longer than the change
    assert (scheduler.slots.production.name, scheduler.slots.production.model.catalog) == ("v9", less)
    scheduler.move(catalog)
    assert scheduler.slots.production.model.catalog is catalog
    mine = ServedVersion("v10", 10, SHGAT.from_catalog(catalog))
    scheduler.slots.put(mine)  # by somebody else
    scheduler.move(less)
    assert (scheduler.slots.production.name, len(scheduler.slots.production.model.tool_ids)) == ("v10", len(less.tools))
