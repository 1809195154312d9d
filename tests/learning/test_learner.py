"""One training: the most urgent traces go to the child, what it learned is stored, and a child that fails changes nothing."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from people import executed, until
from shgat import Catalog
from shgat.drift import Reference
from shgat.errors import WorkerError
from shgat.learning.learner import Learner, Plan
from shgat.registry import ServedVersion, Versions
from shgat.shgat import SHGAT
from shgat.traces import Trace
from shgat.worker import Child
from worlds import opened

LIVE = Plan(50, 1, False)
FAILING = ("/bin/sh", "-c", "exit 3")


@pytest.fixture
def learn(catalog):
    """Makes learners over children and closes them at the end."""
    made = []

    def learner(seed=0, **options):
        made.append(Learner(Versions(catalog, "local"), Child(timeout=60, **options), seed))
        return made[-1]

    yield learner
    for one in made:
        one.close()


def test_what_was_learned_is_stored_and_is_to_serve(learn, store, people, untrained):
    store.add_traces(executed(people[:30]))
    after, training = learn().train(store, untrained, LIVE)
    assert (training.traces, training.accepted, training.version) == (30, True, 1)
    assert (after.name, after.number, store.active_model()) == ("v1", 1, 1)
    assert store.model(1).manifest["traces"] == 30
    stored = SHGAT.from_bytes(store.model(1).data)
    np.testing.assert_array_equal(after.model.params.buffer, stored.params.buffer)
    assert (stored.params.buffer != untrained.model.params.buffer).any()
    assert all(0.0 <= t.priority <= 1.0 for t in store.traces())


def test_what_traffic_was_like_is_kept_beside_what_was_learned(learn, store, people, untrained):
    store.add_traces(executed(people[:60]))
    after, training = learn().train(store, untrained, LIVE)
    assert training.accepted
    assert Reference.from_bytes(store.drift_reference(after.number)).about["version"] == after.number


def test_the_most_urgent_traces_are_taken_and_useless_ones_are_set_aside(learn, store, people, untrained, catalog):
    x = np.ones(catalog.dimension, np.float32)
    tool = catalog.tools[0].id
    useless = [
        Trace(id="without an embedding", tools=(tool,)),
        Trace(id="without tools", embedding=x),
        Trace(id="of a tool that left", embedding=x, tools=("gone",)),
        Trace(id="after a tool that left", embedding=x, tools=(tool,), context_tools=("gone",)),
        Trace(id="of a capability that left", embedding=x, tools=(tool,), capability="gone"),
    ]
    store.add_traces([*executed(people[:20]), *useless])
    learner = learn()
    _, training = learner.train(store, untrained, Plan(15, 1, False))
    assert training.traces == 15
    assert dict(store.aside(10)) == {
        "without an embedding": "it has neither an embedding nor a text",
        "without tools": "it names no tools",
        "of a tool that left": "the catalogue has no tool 'gone'",
        "after a tool that left": "the catalogue has no tool 'gone'",
        "of a capability that left": "the catalogue has no capability 'gone'",
    }
    priorities = {t.id: t.priority for t in store.traces()}
    assert {key for key, priority in priorities.items() if priority is None} == {f"p{i}" for i in range(5)} | {
        t.id for t in useless
    }
    _, training = learner.train(store, untrained, Plan(10, 1, False))
    assert training.traces == 10
    assert store.backlog().untrained == 0


def test_what_one_catalogue_cannot_use_another_one_learns(store, people, untrained, catalog, recorder):
    """A rolling deployment: both train the same user's model, in turns."""
    tool = catalog.tools[0].id
    embedded = [replace(t, embedding=e) for t, e in zip(catalog.tools, catalog.tool_embeddings, strict=True)]
    old, new = Catalog.from_records(embedded, []), Catalog.from_records([*embedded, replace(embedded[0], id="new")], [])
    x = np.ones(catalog.dimension, np.float32)
    store.add_traces([Trace(id=f"n{i}", embedding=x + i, tools=("new",)) for i in range(30)])
    store.add_traces([Trace(id=f"o{i}", embedding=x + i, tools=(tool,)) for i in range(5)])
    learners = [Learner(Versions(c, "local"), Child(timeout=60, command=recorder().command), 0) for c in (old, new)]
    served = [ServedVersion("untrained", 0, SHGAT.from_catalog(c)) for c in (old, new)]
    taken = []
    for _ in range(4):
        for learner, version in zip(learners, served, strict=True):
            _, training = learner.train(store, version, Plan(10, 1, False))
            taken.append(training.traces)
    assert taken == [5, 10, 5, 10, 5, 10, 5, 10]
    assert store.backlog().untrained == 0
    for learner in learners:
        learner.close()


def test_feedback_that_nobody_can_use_is_looked_through_once(store, people, untrained, catalog, learn):
    store.add_traces([Trace(id=f"u{i}", embedding=np.ones(catalog.dimension), tools=("gone",)) for i in range(3000)])
    store.add_traces(executed(people[:5]), "somebody else")
    learner = learn(command=FAILING)
    assert learner.urgent(store, 50) == []
    assert tuple(store.backlog()) == (0, None, 3000)
    assert learner.train(store, untrained, LIVE) == (untrained, None)


def test_without_a_usable_trace_nothing_is_trained(learn, store, untrained, catalog):
    learner = learn(command=FAILING)
    assert learner.train(store, untrained, LIVE) == (untrained, None)
    store.add_trace(Trace(id="bare", tools=(catalog.tools[0].id,)))
    assert learner.train(store, untrained, LIVE) == (untrained, None)
    assert [key for key, _ in store.aside(5)] == ["bare"]
    assert store.active_model() is None


def test_a_job_says_what_the_plan_says_and_each_has_the_next_seed(learn, store, people, untrained, recorder):
    recorder = recorder()
    store.add_traces(executed(people[:5]))
    learner = learn(seed=7, command=recorder.command)
    for plan in (LIVE, Plan(3, 4, True)):
        learner.train(store, untrained, plan)
    assert [job["config"] for job in recorder.jobs] == [
        {"epochs": 1, "seed": 7, "fromScratch": False},
        {"epochs": 4, "seed": 8, "fromScratch": True},
    ]


def test_the_model_that_is_sent_is_the_one_that_serves(learn, store, people, untrained, recorder, catalog):
    recorder = recorder()
    store.add_traces(executed(people[:5]))
    learner = learn(command=recorder.command)
    after, _ = learner.train(store, untrained, LIVE)
    assert recorder.model.read_bytes() == untrained.model.to_bytes()
    learner.train(store, after, LIVE)
    assert recorder.model.read_bytes() == store.model(1).data
    other = ServedVersion("v9", 9, opened(SHGAT.from_catalog(catalog)))
    learner.train(store, other, LIVE)
    assert recorder.model.read_bytes() == other.model.to_bytes()


def test_a_model_that_did_not_change_is_no_new_version(learn, store, people, untrained, recorder):
    store.add_traces(executed(people[:5]))
    after, training = learn(command=recorder(changed=False).command).train(store, untrained, LIVE)
    assert after is untrained
    assert (training.accepted, training.version) == (False, 0)
    assert store.model_versions() == []
    assert {t.priority for t in store.traces()} == {0.25}


def test_a_child_that_fails_changes_nothing_and_the_traces_are_learned_later(learn, store, people, untrained):
    store.add_traces(executed(people[:30]))
    with pytest.raises(WorkerError, match="exit code 3"):
        learn(command=FAILING).train(store, untrained, LIVE)
    assert store.model_versions() == []
    assert {t.priority for t in store.traces()} == {None}
    assert learn().train(store, untrained, LIVE)[1].traces == 30


def test_a_warm_child_that_was_killed_is_replaced(store, people, untrained, catalog):
    store.add_traces(executed(people[:30]))
    with Child(timeout=60) as child:
        learner = Learner(Versions(catalog, "local"), child, 0)
        learner.warm()
        killed = child.pid
        os.kill(killed, signal.SIGKILL)
        until(lambda: child.pid is None)
        assert learner.train(store, untrained, LIVE)[1].version == 1
        assert child.pid not in (None, killed)
        learner.close()
        assert child.pid is None
    assert not Path(f"/proc/{killed}").exists()


def test_nothing_lies_about_once_it_is_closed(learn, store, people, untrained, recorder):
    recorder = recorder()
    store.add_traces(executed(people[:5]))
    learner = learn(command=recorder.command)
    learner.train(store, untrained, LIVE)
    paths = [Path(recorder.jobs[0][name]) for name in ("modelPath", "examplesPath", "paramsPath")]
    assert paths[0].exists()
    learner.close()
    assert not any(path.parent.exists() for path in paths)
