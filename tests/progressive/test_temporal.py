import numpy as np
import pytest

from shgat.errors import InputError
from shgat.progressive.changeset import Changes
from shgat.progressive.events import events
from shgat.progressive.generator import Plan, make
from shgat.progressive.history import History
from shgat.progressive.temporal import Answered, shared_blends

from .histories import event


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    found = make(tmp_path_factory.mktemp("temporal") / "r.git", Plan(seed=5, commits=200, adversarial=False))
    return Answered.of(Changes.of(events(History.of(found.path))), None)


def test_planted_groups_are_found_by_what_changes_together(answered):
    figures = answered.ranked("file").figures(np.random.default_rng(0))
    assert figures["mrr"]["confidence"] > figures["mrr"]["popularity"] + 0.1
    assert figures["mrr"]["shgat + prior"] > figures["mrr"]["popularity"] + 0.1
    assert figures["ships"] in figures["mrr"]
    assert figures["baseline"] not in ("shgat", "prior", "shgat + prior")


def test_what_is_fitted_never_sees_the_last_part(answered):
    cut = min(a.row for a in answered.after)
    assert max(a.row for a in answered.before) < cut
    emptied = Answered(answered.before, answered.after[:3], answered.half)
    assert emptied.ranked("intent").blends == answered.ranked("intent").blends
    assert emptied.ranked("intent").validation == answered.ranked("intent").validation


def test_shared_weights_are_where_few_cases_stay(answered):
    shared = shared_blends("file", [answered, answered])
    bare = Answered([], answered.after, answered.half)
    assert bare.ranked("file", shared).blends["prior"].weights == pytest.approx(dict(shared["prior"].weights))


def test_a_short_history_is_refused():
    with pytest.raises(InputError, match="expected 100"):
        Answered.of(Changes.of([event(i, ["a"]) for i in range(20)], "short"), None)
