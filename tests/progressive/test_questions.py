import numpy as np
import pytest

from shgat.progressive.blend import Case
from shgat.progressive.changeset import Changes
from shgat.progressive.cochange import closed_sets
from shgat.progressive.events import events
from shgat.progressive.generator import Plan, make
from shgat.progressive.history import History
from shgat.progressive.questions import asked, names, reciprocal_ranks


@pytest.fixture(scope="module")
def changes(tmp_path_factory):
    found = make(tmp_path_factory.mktemp("asked") / "r.git", Plan(seed=3, commits=120, adversarial=False))
    return Changes.of(events(History.of(found.path)))


def questions(changes, start, stop):
    return list(asked(changes, start, stop, None, closed_sets(changes.rows[:start])))


def test_only_files_that_are_there_are_candidates_and_the_one_that_is_asked_with_is_none(changes):
    n = len(changes.rows)
    found = questions(changes, n // 2, n)
    assert {a.kind for a in found} == {"file", "intent", "masked"}
    for question in found:
        alive = set(changes.alive(question.row))
        assert set(question.files) <= alive
        touched = set(changes.rows[question.row].files)
        wanted = {question.files[i] for i in question.case.wanted}
        assert wanted
        assert wanted <= touched
        assert len(touched & alive - set(question.files)) == (question.kind == "file")
        assert question.case.features.shape == (len(names(question.kind)), len(question.files))
        assert np.isfinite(question.case.features).all()


def test_what_comes_later_changes_no_answer(changes):
    start, stop = len(changes.rows) // 2, len(changes.rows) // 2 + 15
    rng = np.random.default_rng(0)
    poisoned = list(changes.rows[:stop])
    for row in changes.rows[stop:]:
        files = tuple(sorted(rng.choice(len(changes.last_paths), 3, replace=False).tolist()))
        poisoned.append(
            type(row)(row.seq, row.sha, row.time, "x", "poison " + row.message, files, row.added, row.removed, ("p",) * 3, "test")
        )
    other = Changes(
        changes.name, poisoned, changes.lives, changes.first_paths, ["poison"] * len(changes.last_paths), changes.n_events
    )
    mine, theirs = questions(changes, start, stop), questions(other, start, stop)
    assert [(a.row, a.kind, a.files) for a in mine] == [(a.row, a.kind, a.files) for a in theirs]
    for a, b in zip(mine, theirs, strict=True):
        assert a.case.features.tobytes() == b.case.features.tobytes()


def test_equal_scores_share_their_places():
    def rank(z, *wanted):
        return reciprocal_ranks([np.array(z)], [Case(np.zeros((1, len(z)), np.float32), np.array(wanted))])[0]

    assert rank([3.0, 2.0, 1.0], 1) == 0.5
    assert rank([1.0] * 9, 4) == 1 / 5
    assert rank([2.0, 2.0, 1.0], 0, 1) == 1.0
    assert rank([float(-i) for i in range(20)], 15) == 0.0
