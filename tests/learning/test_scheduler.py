"""The loop beside the answers: when it trains and with what, whom it leaves a training to, and how it gets over failures."""

import os
import signal
import time
from pathlib import Path

import pytest

from people import executed, until
from shgat import SHGAT
from shgat.errors import ShgatError, StoreError, WorkerError
from shgat.learning.journal import Journal
from shgat.learning.learner import Learner
from shgat.learning.scheduler import BATCH, FIRST, LIVE, Scheduler
from shgat.registry import ServedVersion, Slots, Versions
from shgat.store import Store
from shgat.worker import Child
from worlds import opened

FAILING = ("/bin/sh", "-c", "exit 3")


@pytest.fixture
def schedule(sqlite_url, catalog):
    """Makes schedulers over one store and closes them at the end."""
    made = []

    def scheduler(mode="off", debounce=0.0, url=sqlite_url, clock=time.time, child=None, **options):
        journal = Journal(lambda: Store.open(url, catalog.dimension, clock=clock), catalog)
        learner = Learner(Versions(catalog, "local"), child or Child(timeout=60, **options), 0)
        slots = Slots(ServedVersion("untrained", 0, SHGAT.from_catalog(catalog)))
        made.append((Scheduler(journal, learner, slots, mode, debounce), journal))
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
    for start, stop in ((0, FIRST - 1), (FIRST - 1, FIRST), (FIRST, FIRST + 24), (FIRST + 24, FIRST + 25)):
        store.add_traces(executed(people[start:stop], start))
        training = scheduler.maybe_train()
        config = recorder.jobs[-1]["config"]
        plans.append((training.traces, config["epochs"], config["fromScratch"]))
    live, batch = (LIVE.traces, LIVE.epochs, False), (BATCH.epochs, True)
    assert plans == [live, (FIRST, *batch), live, (FIRST + 25, *batch)]  # a quarter more, and it is tried again


def test_a_model_that_has_learned_goes_on_from_there(schedule, store, trained, people, recorder):
    recorder = recorder()
    store.put_model(trained.model.to_bytes(), {})
    store.add_traces(executed(people[:150]))
    scheduler = schedule(command=recorder.command)
    assert scheduler.maybe_train().traces == LIVE.traces
    assert recorder.jobs[0]["config"]["fromScratch"] is False


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


def test_a_store_that_is_away_at_first_is_learned_from_when_it_is_there(schedule, people, tmp_path, catalog, recorder):
    folder = tmp_path / "later"
    url = f"sqlite:///{folder / 'store.db'}"
    scheduler = schedule("live", url=url, command=recorder().command)
    assert scheduler.trouble
    with pytest.raises(ShgatError):
        scheduler.maybe_train()
    folder.mkdir()
    with Store.open(url, catalog.dimension) as store:
        store.add_traces(executed(people[:5]))
    until(lambda: scheduler.last is not None)
    until(lambda: scheduler.trouble == "")


def test_closing_ends_a_training_that_is_under_way(schedule, store, people):
    store.add_traces(executed(people[:5]))
    scheduler = schedule("live", command=("/bin/sh", "-c", "exec sleep 600"))
    until(lambda: scheduler.training)
    scheduler.close()
    assert not scheduler.training
    assert {t.priority for t in store.traces()} == {None}
