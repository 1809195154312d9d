import numpy as np
import pytest

from shgat import SHGAT
from shgat.progressive.changeset import Changes
from shgat.progressive.cochange import closed_sets
from shgat.progressive.events import events
from shgat.progressive.generator import Plan, make
from shgat.progressive.history import History
from shgat.progressive.learner import Learner, over, scores
from shgat.progressive.snapshot import Snapshot, vectors
from shgat.worker.parent import Child


def snapshot(folder, seed, commits=150):
    changes = Changes.of(events(History.of(make(folder / f"{seed}.git", Plan(seed=seed, commits=commits, adversarial=False)).path)))
    row = int(len(changes.rows) * 0.8)
    return Snapshot.at(changes, row, closed_sets(changes.rows[:row]))


def test_a_second_repository_begins_with_the_parameters_of_the_first(tmp_path):
    one, two = snapshot(tmp_path, 1), snapshot(tmp_path, 2)
    with Child() as child:
        learner = Learner(child)
        first = learner.learn(one)
        assert first is not None
        before = learner.model
        assert before is not None
        assert [t.id for t in before.catalog.tools] == one.ids
        second = learner.learn(two)
    assert second is not None
    assert learner.trained == 2
    assert [t.id for t in learner.model.catalog.tools] == two.ids
    moved, scratch = before.over(two.catalog).params["w_q"], SHGAT.from_catalog(two.catalog).params["w_q"]
    if first.accepted:
        assert not np.array_equal(moved, scratch)
    if not second.accepted:
        assert np.array_equal(learner.model.params["w_q"], moved)


def test_too_little_is_not_learned_from(tmp_path):
    changes = snapshot(tmp_path, 4, 20)
    with Child() as child:
        learner = Learner(child)
        assert learner.learn(changes) is None
        assert learner.model is None
        assert child.pid is None


def test_memory_is_that_of_the_repository(tmp_path):
    here = snapshot(tmp_path, 5)
    model = over(None, here)
    assert model.learned.memory.ids == tuple(here.traces.ids.tolist()) or len(model.learned.memory.ids) <= len(here.records)
    found = scores(model, vectors(["refactor"]), ["refactor"])
    assert np.exp(found).sum() == pytest.approx(1.0, abs=1e-4)
    assert found.shape == (1, len(here.ids))
