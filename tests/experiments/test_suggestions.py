"""Suggestions of the next tool on held-out sessions: the split, the figures of methods whose figures are known, and what is refused."""

import numpy as np
import pytest

from shgat import InputError, Trace
from shgat.experiments.next_tool import Popularity
from shgat.experiments.suggestions import Ranked, baselines, compare, given, held_out
from shgat.traces import Sessions, load_sessions
from traces.examples import CATALOG, D
from worlds import SAMPLE

N = 5


def made(n, tools=(0, 1, 2), timed=True, start=0, outcome=1.0):
    return Sessions.of(
        [
            Trace(
                id=f"{s}.{i}", session=f"s{s}", step=i, tools=[f"t{t}"], intent=f"intent {s % 7}", embedding=[1.0] * D, outcome=outcome,
                timestamp=100.0 * s + i if timed else None,
            )
            for s in range(start, start + n)
            for i, t in enumerate(tools)
        ],
        CATALOG,
    )  # fmt: skip


class Oracle:
    """The right tool at the first place, or behind so many others, by the number of the step."""

    def __init__(self, place):
        self.place = place

    def scores(self, sessions, rows):
        found = np.zeros((len(rows), N), np.float32)
        for i, t in enumerate(rows.tolist()):
            right = sessions.chosen[t]
            others = [tool for tool in range(N) if tool != right and tool not in sessions.context(t)]
            found[i, (others + sessions.context(t).tolist())[: self.place(t)]] = 2.0
            found[i, right] = 1.0
        return found


def test_the_latest_sessions_test_and_the_same_intents_stay_together_where_there_are_no_times():
    rng = np.random.default_rng(0)
    held = held_out(made(20), CATALOG, rng, test=0.25)
    assert {s.name for s in held.test.sessions} == {f"s{i}" for i in range(15, 20)}
    assert (len(held.train), held.how, held.notes) == (15, "the latest 5 of 20 sessions", [])
    held = held_out(made(20, timed=False), CATALOG, rng)
    intents = [{step.intent for step in part.steps} for part in (held.train, held.test)]
    assert not intents[0] & intents[1]
    assert len(held.train) + len(held.test) == 20
    assert "drawn at random" in held.how


def test_a_session_on_both_sides_is_left_out_and_said():
    sessions = made(10)
    long = Sessions.of(
        [step.trace for step in sessions.steps]
        + [
            Trace(id=f"long{i}", session="long", step=i, tools=["t0"], embedding=[1.0] * D, timestamp=t)
            for i, t in enumerate((0, 950))
        ],
        CATALOG,
    )
    held = held_out(long, CATALOG, np.random.default_rng(0), test=0.2)
    assert "long" not in {s.name for s in held.train.sessions} | {s.name for s in held.test.sessions}
    assert held.notes == ["1 sessions stand on both sides of the moment that divides them, and were left out."]


def test_figures_are_those_that_are_known():
    held = given(made(8), made(6, start=8), CATALOG)
    methods = {
        "right": Oracle(lambda t: 0),
        "second": Oracle(lambda t: 1),
        "last": Oracle(lambda t: 4),
        "half": Oracle(lambda t: t % 2),
    }
    found = compare(methods, held, np.random.default_rng(0))
    part = found.parts["all"]
    assert (part.steps, part.sessions, part.best) == (18, 6, "right")
    assert {name: of["hit@1"].value for name, of in part.methods.items()} == {"right": 1, "second": 0, "last": 0, "half": 0.5}
    assert {name: of["hit@3"].value for name, of in part.methods.items()} == {"right": 1, "second": 1, "last": 0, "half": 1}
    assert part.methods["last"]["mrr"].value == pytest.approx(0.2)
    assert part.differences["second"]["mrr"].value == pytest.approx(-0.5)
    assert part.differences["right"]["mrr"].ci_low == part.differences["right"]["mrr"].ci_high == 0.0
    half = part.methods["half"]["hit@1"]
    assert half.ci_low < 0.5 < half.ci_high
    assert {name: p.steps for name, p in found.parts.items()} == {"all": 18, "first": 6, "later": 12}
    ours = compare(methods, held, np.random.default_rng(0), ours=("right",)).parts["all"]
    assert (ours.best, ours.differences["right"]["mrr"].value) == ("half", pytest.approx(0.25))


def test_what_was_used_stands_last_only_where_training_shows_that_nothing_is_run_twice():
    methods = {"popularity": Popularity(np.array([0.4, 0.3, 0.2, 0.1, 0.0]))}
    trains = {"few": made(8), "many": made(40), "twice": made(40, tools=(0, 1, 0))}
    test = made(6, start=50)
    found = {name: compare(methods, given(train, test, CATALOG), np.random.default_rng(0)) for name, train in trains.items()}
    assert {name: of.again for name, of in found.items()} == {"few": True, "many": False, "twice": True}
    hit = {name: of.parts["all"].methods["popularity"]["hit@1"].value for name, of in found.items()}
    assert hit == {"few": pytest.approx(1 / 3), "many": 1.0, "twice": pytest.approx(1 / 3)}


def test_a_step_that_failed_counts_for_nothing():
    with pytest.raises(InputError, match="none of the 18 steps that test worked"):
        compare({"right": Oracle(lambda t: 0)}, given(made(8), made(6, start=8, outcome=0.0), CATALOG), np.random.default_rng(0))
    with pytest.raises(InputError, match="none of the 24 steps to learn from worked"):
        given(made(8, outcome=0.0), made(6, start=8), CATALOG)
    with pytest.raises(InputError, match="none of the 24 steps to learn from worked"):
        baselines(made(8, outcome=0.0), N)


def test_what_tests_may_not_be_learned_from():
    with pytest.raises(InputError, match=r"trace '5\.0' stands in what trains and in what tests"):
        given(made(8), made(6, start=5), CATALOG)
    with pytest.raises(InputError, match="at least 2, not 1"):
        held_out(made(1), CATALOG, np.random.default_rng(0))


def test_the_catalogue_knows_only_what_the_training_sessions_gave_rise_to(trained):
    sessions = load_sessions(SAMPLE / "train.jsonl", trained.catalog, from_order=True)
    found = held_out(sessions, trained.catalog, np.random.default_rng(0))
    assert found.known.tool_column == trained.catalog.tool_column
    assert len(found.known.capabilities) < len(trained.catalog.capabilities)
    assert 0 < sum(c.uses for c in found.known.capabilities) < sum(c.uses for c in trained.catalog.capabilities)


def test_a_ranker_is_told_what_was_used_or_not(trained):
    test = load_sessions(SAMPLE / "test.jsonl", trained.catalog, from_order=True)
    rows = np.flatnonzero(test.until > test.begin)[:3]
    told, untold = Ranked(trained.model).scores(test, rows), Ranked(trained.model, context=False).scores(test, rows)
    for i, t in enumerate(rows.tolist()):
        step = test.steps[t]
        used = sorted({used.tool for used in step.context}, key=trained.catalog.tool_column.__getitem__)
        for scores, context in ((told, used), (untold, ())):
            expected = trained.model.score(step.embedding, texts=[step.intent], context_tools=context)[0]
            np.testing.assert_allclose(scores[i], expected, rtol=1e-4, atol=1e-4)
