"""Several processes on one store: opened apart, or forked from one that was opened before."""

import itertools
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import orjson
import pytest

from people import until, use, written
from processes import children, ended, forked, started
from shgat.errors import ShgatError
from shgat.learning.spool import MEMORY
from shgat.serving import Ranker, Receipt
from shgat.store import Store

HERE = Path(__file__).parent
forking = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


class Worker:
    """A worker in a process of its own."""

    def __init__(self, url, mode="off"):
        pipe = subprocess.PIPE
        command = [sys.executable, HERE / "gateway_worker.py", url, mode]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def do(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        self.process.stdout.close()


@pytest.fixture
def workers(url):
    made = [Worker(url) for _ in range(3)]
    yield made
    for worker in made:
        if worker.process.poll() is None:
            worker.close()


def test_no_feedback_is_refused_or_lost_whichever_worker_it_reaches(workers, url):
    """Round-robin, immediately, as a load balancer does; some of it twice, to different workers."""
    turns, keys = itertools.cycle(workers), []
    for i in range(400):
        key = next(turns).do("rank", i)
        assert next(turns).do("feedback", key, i) == "durable"
        if i % 10 == 0:
            assert next(turns).do("feedback", key, (i + 1) % 400) in ("durable", "known")
        keys.append(key)
    for worker in workers:
        until(lambda worker=worker: orjson.loads(worker.do("stats"))["waiting_for_store"] == 0)
        assert orjson.loads(worker.do("stats"))["feedback_without_decision"] == 0
        worker.close()
    with Store.open(url) as store:
        found = {t.id: t for t in store.traces()}
    assert found.keys() == set(keys)
    assert all(t.embedding is not None and t.intent for t in found.values())


# ---------------------------------------------------------------- forks
@pytest.mark.slow
@forking
@pytest.mark.parametrize("mode", ["off", "live"])
def test_workers_that_are_forked_from_an_opened_ranker_answer_write_and_learn(open_ranker, people, sqlite_url, mode):
    ranker = open_ranker(mode=mode, debounce=0.0)
    use(ranker, people[:30])
    assert mode == "live" or ranker.maybe_train()
    until(lambda: ranker.model_version != "untrained")

    def work(k):
        before = set(children())
        use(ranker, people[30 + 30 * k : 60 + 30 * k])
        unanswered = ranker.rank(people[k][0], 5)
        written(ranker)
        assert unanswered.degraded == ()
        assert ranker.stats()["trouble"] == []
        ranker.close()
        return set(children()) <= before

    pids = [started(lambda k=k: work(k)) for k in range(4)]
    assert all(ended(pid) for pid in pids)
    keys = use(ranker, people[200:210])
    written(ranker)
    with Store.open(sqlite_url) as store:
        assert store.counts()["traces"] == 30 + 120 + 10
        assert store.counts()["decisions"] == 30 + 4 * 31 + 10
        assert all(store.traces_of(keys))
        if mode == "live":
            until(lambda: store.backlog().untrained == 0)
        else:
            assert ranker.maybe_train().traces >= 50
    assert ranker.stats()["trouble"] == []


@forking
def test_a_childs_end_leaves_everything_of_the_parent(open_ranker, people):
    ranker = open_ranker(mode="live", debounce=0.0)
    use(ranker, people[:20])
    until(lambda: ranker.stats()["last_training"])
    until(lambda: not ranker.training)
    mine, folders = set(children()), set(MEMORY.glob(f"shgat-ranker-{os.getpid()}-*"))
    assert mine
    assert folders
    for end in (ranker.close, lambda: None, lambda: ranker.rank(people[0][0]) and ranker.close()):
        assert forked(lambda end=end: end() or True)
        assert mine <= set(children())
        assert all(folder.is_dir() for folder in folders)
    use(ranker, people[20:40])
    until(lambda: ranker.stats()["backlog"]["traces"] == 0 and not ranker.stats()["waiting_for_store"])
    assert ranker.stats()["trouble"] == []


@forking
def test_a_fork_of_a_fork_and_a_fork_of_what_was_closed(open_ranker, people, sqlite_url):
    ranker = open_ranker()

    def child():
        use(ranker, people[:3])
        assert forked(lambda: use(ranker, people[3:6]) and written(ranker) is None)
        written(ranker)
        return True

    assert forked(child)
    with Store.open(sqlite_url) as store:
        assert store.counts()["traces"] == 6
    ranker.close()

    def closed():
        assert "closed: not recorded" in ranker.rank(people[0][0]).degraded
        with pytest.raises(ShgatError, match="closed"):
            ranker.maybe_train()
        ranker.close()
        return True

    assert forked(closed)


def fork_under_traffic(open_ranker, people, sqlite_url, n):
    """Eight threads rank, give feedback and learn while the process forks again and again."""
    ranker = open_ranker(mode="live", debounce=0.0)
    keys, done, faults = [], threading.Event(), []

    def ask(thread):
        try:
            for i in itertools.count(thread):
                if done.is_set():
                    return
                x, text, tools = people[i % 400]
                answer = ranker.rank(x, 5, text=text, session=f"s{thread}", order="stable")
                assert ranker.feedback(answer.decision_id, tools=tools, outcome=1.0) is not Receipt.KNOWN
                keys.append(answer.decision_id)
                time.sleep(0.005)
        except BaseException as error:
            faults.append(error)
            raise

    def child(k):
        mine = use(ranker, people[k * 10 : k * 10 + 10])
        written(ranker)
        with Store.open(sqlite_url) as store:
            assert len(store.traces_of(mine)) == 10
        return True

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    try:
        pids = []
        for k in range(n):
            pids.append(started(lambda k=k: child(k)))
            time.sleep(0.1)
        hung = [pid for pid in pids if not ended(pid, 60)]
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not hung
    assert not faults
    written(ranker)
    with Store.open(sqlite_url) as store:
        assert len(store.traces_of(keys)) == len(keys)
        assert store.counts()["traces"] == len(keys) + 10 * n


@pytest.mark.slow
@forking
def test_a_fork_in_the_middle_of_traffic(open_ranker, people, sqlite_url):
    fork_under_traffic(open_ranker, people, sqlite_url, 5)


@forking
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_forty_forks_in_the_middle_of_traffic(open_ranker, people, sqlite_url):
    fork_under_traffic(open_ranker, people, sqlite_url, 40)


HELD: list[Ranker] = []


def pooled(person):
    x, text, tools = person
    answer = HELD[0].rank(x, 5, text=text)
    receipt = HELD[0].feedback(answer.decision_id, tools=tools, outcome=1.0)
    written(HELD[0])
    return os.getpid(), answer.decision_id, str(receipt)


@forking
def test_a_pool_of_forked_processes(open_ranker, people, sqlite_url):
    HELD[:] = [open_ranker()]
    use(HELD[0], people[:5])
    with multiprocessing.get_context("fork").Pool(3) as pool:
        found = pool.map(pooled, people[5:65], chunksize=4)
    HELD.clear()
    assert {receipt for _, _, receipt in found} == {"durable"}
    assert os.getpid() not in {pid for pid, _, _ in found}
    with Store.open(sqlite_url) as store:
        assert len(store.traces_of([key for _, key, _ in found])) == 60


@pytest.mark.slow
@forking
def test_workers_on_postgresql_that_are_forked(open_ranker, people, postgresql_url):
    ranker = open_ranker(url=postgresql_url)
    use(ranker, people[:5])
    written(ranker)
    for k in range(2):
        assert forked(
            lambda k=k: use(ranker, people[10 + 10 * k : 20 + 10 * k]) and written(ranker) is None and ranker.close() is None
        )
        use(ranker, people[50 + k : 51 + k])
    written(ranker)
    with Store.open(postgresql_url) as store:
        assert store.counts()["traces"] == 5 + 20 + 2
    assert ranker.stats()["trouble"] == []
