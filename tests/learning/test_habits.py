"""What one principal ran: bounded, over whatever catalogue serves, and counting only where its gate, or somebody, says so."""

from dataclasses import replace

import numpy as np
import pytest

from shgat import SHGAT
from shgat.learning.habits import MOST, Habits
from shgat.model import scoring
from shgat.model.evidence import Execution, Recent
from shgat.store import PrincipalMove
from training import planted


@pytest.fixture(scope="module")
def model():
    return SHGAT.from_catalog(planted.catalog(np.random.default_rng(0), 12, [((0, 1), ())], 16))


def done(i, x, *tools, outcome=1.0, timestamp=100.0):
    return Execution(f"e{i}", x, "send it", tools, outcome, "", timestamp)


def contrary(index, n, start=0, seed=0):
    """Executions near the first three tools that ran t9."""
    rng, rows = np.random.default_rng([seed, start]), index.catalog.tool_embeddings
    x = [planted.unit(rows[i % 3] + 0.05 * rng.standard_normal(rows.shape[1])).astype(np.float32) for i in range(n)]
    return [done(start + i, row, "t9", timestamp=100.0 + start + i) for i, row in enumerate(x)]


def told(habits, executions, index):
    for e in executions:
        habits.take(e, scoring.score(index, e.x[None], "tools", None, ()), index)
    return habits


def test_a_habit_of_its_own_counts_when_the_gate_has_seen_it(model):
    index = model.index()
    habits = told(Habits("a", Recent()), contrary(index, 19), index)
    assert habits.own(index) is None
    told(habits, contrary(index, 5, 19), index)
    assert habits.counts
    own = habits.own(index)
    assert own.trust == habits.trial.trust
    x = contrary(index, 1, 99)[0].x[None]
    z = scoring.score(index, x, "tools", None, ())
    assert (z[0].argmax(), own.mixed(z, x)[0].argmax()) == (0, 9)
    about = habits.to_dict()
    assert (about["executions"], about["counts"], about["gate"]["passed"]) == (24, True, True)


def test_a_habit_like_everybody_elses_does_not_count(model):
    index, rows = model.index(), model.catalog.tool_embeddings
    usual = [done(i, np.ascontiguousarray(rows[i % 12]), f"t{i % 12}") for i in range(100)]
    habits = told(Habits("a", Recent()), usual, index)
    assert habits.trial.n == 100
    assert habits.own(index) is None


def test_what_was_decided_comes_before_the_gate(model):
    index = model.index()
    habits = told(Habits("a", Recent()), contrary(index, 30), index)
    habits.decided(PrincipalMove("a", 1, "pin", "off"))
    assert habits.own(index) is None
    assert len(habits.kept.ids) == 30  # it is kept, and goes on
    fresh = told(Habits("b", Recent()), contrary(index, 3), index)
    fresh.decided(PrincipalMove("b", 2, "pin", "on"))
    assert fresh.own(index) is not None
    fresh.decided(PrincipalMove("b", 3, "reset", "on", since=102.0))
    assert (fresh.own(index), fresh.kept.ids) == (None, ())
    told(fresh, contrary(index, 3), index)
    assert fresh.kept.ids == ("e2",)  # what was run before does not count


def test_it_keeps_the_latest_and_takes_each_once(model):
    index = model.index()
    habits = told(Habits("a", Recent()), contrary(index, MOST + 30), index)
    told(habits, contrary(index, MOST + 30), index)
    assert habits.kept.ids == tuple(f"e{i}" for i in range(30, MOST + 30)) or len(habits.kept.ids) == MOST
    assert habits.kept.vectors.shape == (MOST, 16)
    assert habits.bytes < 64_000
    assert habits.kept.worked.all()


def test_what_has_no_vector_or_ran_no_known_tool_says_nothing(model):
    index = model.index()
    habits = Habits("a", Recent())
    habits.decided(PrincipalMove("a", 1, "pin", "on"))
    habits.take(done(0, None, "t1"), None, index)
    assert habits.own(index) is None
    habits.take(done(1, contrary(index, 1)[0].x, "nobody"), None, index)
    assert habits.own(index) is None


def test_it_follows_the_catalogue_that_serves(model):
    index = model.index()
    habits = told(Habits("a", Recent()), contrary(index, 30), index)
    other = model.over(model.catalog.without("t0", "t1"))
    own = habits.own(other.index())
    assert {other.tool_ids[c] for c in own.columns.tolist()} == {"t9"}
    renamed = model.over(model.catalog.renamed("t9", "ninth"))
    assert {renamed.tool_ids[c] for c in habits.own(renamed.index()).columns.tolist()} == {"ninth"}
    assert habits.own(model.over(model.catalog.without("t9")).index()) is None


def test_what_the_store_knows_is_as_good_as_what_was_told(model):
    index = model.index()
    habits = Habits("a", Recent())
    habits.remember([replace(e, text="") for e in contrary(index, 40)], index)
    live = told(Habits("a", Recent()), contrary(index, 40), index)
    assert habits.read
    assert habits.kept.ids == live.kept.ids
    assert habits.trial.verdict.passed
    habits.remember(contrary(index, 40), index)
    assert habits.trial.n == 40
    trained = SHGAT.from_catalog(model.catalog)
    trained.partial_fit([{"id": e.id, "embedding": e.x, "tools": list(e.tools), "intent": "send it"} for e in contrary(index, 40)])
    again = Habits("a", Recent())
    again.remember(contrary(index, 40), trained.index())
    assert again.trial.n == 40
