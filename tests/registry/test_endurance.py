"""Promotions from several processes, in processes that are killed, and while a ranker answers."""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from people import crowd
from shgat import SHGAT
from shgat.registry import ServedVersion, StoreRegistry, Versions, facts_of
from shgat.serving import Ranker
from shgat.store import Store

MOVER = Path(__file__).with_name("mover.py")
D = 16


def mover(url, times, who, versions):
    command = [sys.executable, MOVER, url, str(times), who, *map(str, versions)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def check(registry, versions):
    """One version is in production, and the log leads there without a gap."""
    log = registry.moves("production")[::-1]
    assert [m.number for m in log] == list(range(1, len(log) + 1))
    assert [m.before for m in log] == [None, *(m.after for m in log[:-1])]
    assert registry.aliases() == {"production": log[-1].after}
    assert log[-1].after in versions
    assert [v.version for v in registry.store.model_versions() if v.active] == [log[-1].after]
    return log


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_processes_that_promote_at_once_leave_one_production_and_a_log_without_a_gap(url, files):
    times = 500
    with Store.open(url, D, timeout=60.0) as store:
        registry = StoreRegistry(store)
        versions = [registry.add(data, {}).number for data in files]
        registry.move("production", versions[0], who="begin")
        processes = [mover(url, times, who, order) for who, order in (("one", versions), ("two", versions[::-1]))]
        said = [process.communicate(timeout=500)[0].split() for process in processes]
        assert [process.returncode for process in processes] == [0, 0]
        made = [[int(n) for n in words[:-2]] for words in said]
        conflicts = [int(words[-1]) for words in said]
        log = check(registry, versions)
        print(f"{url.split(':')[0]}: moves {[len(m) for m in made]}, conflicts {conflicts}")
        for who, numbers, lost in zip(("one", "two"), made, conflicts, strict=True):
            assert len(numbers) + lost == times
            assert [m.number for m in log if m.who == who] == numbers
        assert sum(conflicts) > 0  # they were at it at once


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_process_killed_in_the_middle_of_promotions_leaves_the_old_or_the_new(url, files):
    rng = random.Random(0)
    with Store.open(url, D, timeout=60.0) as store:
        registry = StoreRegistry(store)
        versions = [registry.add(data, {}).number for data in files[:2]]
        registry.move("production", versions[0], who="begin")
        told = 1
        for run in range(50):
            process = mover(url, 1_000_000, f"run {run}", versions)
            assert process.stdout is not None
            last = int(process.stdout.readline())  # amid the moving
            time.sleep(rng.uniform(0.0, 0.05))
            process.kill()
            rest, _ = process.communicate()
            last = max([last, *(int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n"))])
            log = check(registry, versions)
            assert log[-1].number in (last, last + 1)  # what was told is there; the one move after it, or not
            assert last > told
            told = last
            assert store.newest_model(lambda v: v.data).content == files[versions.index(log[-1].after)]


@pytest.mark.slow
@pytest.mark.timeout(1650)
def test_promotions_and_rollbacks_one_after_another_while_a_ranker_answers(trained, sqlite_url, monkeypatch, tmp_path):
    """No request fails, and each answer is that of the version that it names."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    people, times = crowd(), int(os.environ.get("SHGAT_PROMOTIONS", "50"))
    with (
        Store.open(sqlite_url, trained.catalog.dimension, timeout=60.0) as store,
        Ranker.open(sqlite_url, trained.catalog, mode="off") as ranker,
    ):
        registry = StoreRegistry(store)
        models = (SHGAT.from_catalog(trained.catalog), trained.model)
        a, b = (registry.add(m.to_bytes(), facts_of(m, 1.0)).number for m in models)
        registry.move("production", a, who="begin")
        assert ranker.refresh()
        answers, done = [], threading.Event()

        def ask(start):
            i = start
            while not done.is_set():
                x, text, _ = people[i % len(people)]
                answers.append((i % len(people), ranker.rank(x, 5, text=text)))
                i += 7
                time.sleep(0.01)  # as people do; otherwise two threads share one interpreter with the promotions

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(times):
            registry.move("production", b, expected=a, action="promote", who="ann")
            ranker.refresh()
            assert registry.rollback(who="ann").after == a
            ranker.refresh()
        done.set()
        for thread in threads:
            thread.join()
        log = check(registry, (a, b))
        assert len(log) == 1 + 2 * times
        assert ranker.slots.swaps == 1 + 2 * times
        versions = Versions(trained.catalog, "local")
        with Ranker.open(f"sqlite:///{tmp_path}/other.db", trained.catalog, mode="off") as other:
            for number in (a, b):
                other.slots.put(ServedVersion(f"v{number}", number, versions.open(registry.data(number), "it")))
                right = {}
                for i, answer in answers:
                    if answer.model_version == f"v{number}":
                        if i not in right:
                            right[i] = other.rank(people[i][0], 5, text=people[i][1])
                        assert (answer.ids, answer.scores, answer.ranked_by) == (right[i].ids, right[i].scores, "model")
                        assert all(
                            "database is locked" in why or "are writing" in why for why in answer.degraded
                        )  # where it is recorded
        seen = {answer.model_version for _, answer in answers}
        print(f"{len(answers)} answers while production moved {2 * times} times")
        assert seen == {f"v{a}", f"v{b}"}
