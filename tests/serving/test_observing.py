"""How many answers there were, and percentiles of the latest durations."""

import threading

import numpy as np
import pytest

from shgat import Catalog
from shgat.serving.observing import Answered, Executed, Observations


def answer(seconds, degraded=False):
    return Answered("model", "v1", degraded, seconds, 0.0, seconds, 0.0, 0.0)


def test_before_the_first_answer_there_are_none():
    assert Observations().percentiles() == {}


def test_percentiles_are_in_milliseconds():
    observed = Observations()
    for ms in np.random.default_rng(0).permutation(101):
        observed.answered(answer(ms / 1000))
    assert observed.percentiles() == pytest.approx({"p50": 50.0, "p99": 99.0})


def test_only_the_latest_count():
    observed = Observations()
    for seconds in [60.0] * 5000 + [0.002] * 4096:
        observed.answered(answer(seconds, seconds > 1.0))
    assert observed.percentiles() == pytest.approx({"p50": 2.0, "p99": 2.0})
    assert observed.answers == {"all": 9096, "degraded": 5000}


def test_no_answer_of_many_threads_is_lost():
    observed = Observations()
    threads = [threading.Thread(target=lambda: [observed.answered(answer(0.001, True)) for _ in range(5000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert observed.answers == {"all": 40_000, "degraded": 40_000}


def test_listeners_are_told_everything():
    observed, heard = Observations(), []
    observed.answered(answer(0.1))  # nobody listens yet
    observed.listen(heard.append)
    observed.answered(answer(0.2))
    observed.executed(1.0, None)
    assert heard == [answer(0.2), Executed(1.0, None)]


def test_a_ranker_tells_of_stages_and_executions(open_ranker, people):
    ranker, heard = open_ranker(), []
    ranker.watch(heard.append)
    told = ranker.rank(people[0][0])
    ranker.feedback(told.decision_id, tools=[told.ids[0]], outcome=1.0, duration_ms=250.0)
    first, second = heard
    assert (first.by, first.version, first.degraded) == ("model", "untrained", False)
    assert first.encode + first.rank + first.arrange + first.record == pytest.approx(first.seconds)
    assert min(first[4:]) >= 0.0
    assert second == Executed(1.0, 0.25)
    assert not ranker.feedback(told.decision_id, tools=[told.ids[0]], outcome=1.0)
    assert len(heard) == 2  # a decision has one feedback


def test_the_time_of_encoding_is_its_own(open_ranker):
    texts = Catalog.from_records([{"id": "send", "text": "send a message"}, {"id": "read", "text": "read a file"}], [])
    ranker, heard = open_ranker(catalog=texts), []
    ranker.watch(heard.append)
    ranker.rank(None, text="send it")
    ranker.rank_many([None, None], texts=["send it", "and that"])
    assert len(heard) == 3
    assert all(a.encode > 0.0 for a in heard)
