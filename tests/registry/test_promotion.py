"""The way into production: what is worse than cosine, or than what is there, stays out, and the figures say why."""

import os
from dataclasses import replace

import numpy as np
import pytest

from registry.conftest import D
from shgat import SHGAT
from shgat.errors import ConflictError, InputError, ModelFileError, RefusedError
from shgat.registry import StoreRegistry, facts_of, judge, promote
from shgat.store import Store
from shgat.traces import Trace
from worlds import catalog, opened


@pytest.fixture
def registry(trained, sqlite_url):
    with Store.open(sqlite_url, trained.catalog.dimension, timeout=20.0) as store:
        yield StoreRegistry(store)


@pytest.fixture(scope="session")
def untrained(trained):
    return SHGAT.from_catalog(trained.catalog)


@pytest.fixture(scope="session")
def spoilt(trained):
    """A model that ranks worse than cosine."""
    model = opened(SHGAT.from_catalog(trained.catalog))
    model.params["w_intent"][:] = 0.05 * np.random.default_rng(0).standard_normal(model.params["w_intent"].shape)
    model.invalidate()
    return model


def added(registry, model, at=0.0):
    return registry.add(model.to_bytes(), facts_of(model, at)).number


def test_the_gate_compares_with_cosine_and_with_production_on_every_part(trained, untrained, spoilt):
    good = judge(trained.model, untrained, trained.test)
    assert good.verdict.passed
    parts = {"all", "warm", "cold"} & {c.part for c in good.comparisons}
    assert {(c.against, c.part) for c in good.comparisons} == {(a, p) for a in ("cosine", "production") for p in parts}
    assert good.comparisons[0].ours > good.comparisons[0].theirs
    assert good.intents == int((trained.test.relevant.degrees > 0).sum())
    bad = judge(spoilt, None, trained.test)
    assert not bad.verdict.passed
    assert bad.verdict.reason.startswith("worse than cosine on all: ")
    assert {c.against for c in bad.comparisons} == {"cosine"}
    worse = judge(untrained, trained.model, trained.test)
    assert not worse.verdict.passed
    assert worse.verdict.reason.startswith("worse than production on all: ")


def test_what_either_version_learned_from_is_not_held_out(trained, untrained):
    for pair in ((trained.model, untrained), (untrained, trained.model)):
        found = judge(*pair, trained.train)
        assert (found.verdict.passed, found.comparisons) == (False, ())
        assert "held-out intents, at least 20 are needed" in found.verdict.reason


def test_a_good_version_is_promoted_with_its_figures(registry, trained, untrained):
    first, second = added(registry, untrained), added(registry, trained.model)
    promote(registry, first, trained.catalog, trained.test, who="ann")
    move = promote(registry, second, trained.catalog, trained.test, who="ann", why="it has learned")
    assert registry.aliases() == {"production": second}
    assert (move.before, move.after, move.action, move.who, move.why, move.forced) == (
        first, second, "promote", "ann", "it has learned", False,
    )  # fmt: skip
    (logged, _) = registry.moves()
    assert logged.figures == judge(trained.model, untrained, trained.test).figures()
    assert logged.figures["passed"]
    assert registry.rollback(who="ann").after == first


def test_a_worse_version_is_refused_with_the_figures_and_forced_only_with_a_reason(registry, trained, spoilt):
    good, bad = added(registry, trained.model), added(registry, spoilt)
    promote(registry, good, trained.catalog, trained.test, who="ann")
    with pytest.raises(
        RefusedError, match=rf"v{bad} is not promoted: worse than cosine on all: 0\.\d+ against 0\.\d+ on \d+ all intents"
    ):
        promote(registry, bad, trained.catalog, trained.test, who="ann")
    with pytest.raises(InputError, match="a promotion past the gate says why"):
        promote(registry, bad, trained.catalog, trained.test, who="ann", force=True)
    assert registry.aliases() == {"production": good}
    assert len(registry.moves()) == 1
    move = promote(registry, bad, trained.catalog, trained.test, who="ann", why="a drill", force=True)
    assert (move.forced, move.figures["passed"], registry.aliases()) == (True, False, {"production": bad})
    back = promote(registry, good, trained.catalog, trained.test, who="ann", why="the drill is over", force=True)
    assert not back.forced  # the gate let it pass


def test_without_traces_those_of_the_store_decide_that_came_after_both_versions(registry, trained):
    number = added(registry, trained.model, at=1000.0)
    texts = [str(t) for t in trained.test.texts]
    ids = [t.id for t in trained.catalog.tools]

    def trace(i, at):
        tools = tuple(ids[c] for c in trained.test.tools.row(i).tolist())
        return Trace(id=f"{at} {i}", intent=texts[i], embedding=trained.test.vectors(np.array([i]))[0], tools=tools, timestamp=at)

    n = min(60, len(texts))
    registry.store.add_traces([trace(i, 999.0) for i in range(n)])
    registry.store.add_traces([trace(i, 1001.0) for i in range(n)], "another")
    with pytest.raises(RefusedError, match="0 held-out intents, at least 20 are needed"):
        promote(registry, number, trained.catalog, who="ann")
    stranger = Trace(id="stranger", tools=("nobody's",), embedding=trained.test.vectors(np.array([0]))[0], timestamp=1002.0)
    registry.store.add_traces([stranger, *(trace(i, 1003.0) for i in range(n))])
    assert promote(registry, number, trained.catalog, who="ann").figures["intents"] == n


def test_what_came_into_production_meanwhile_is_not_pushed_out_unseen(registry, trained, untrained, monkeypatch):
    first, second, third = (added(registry, m) for m in (untrained, trained.model, untrained))
    promote(registry, first, trained.catalog, trained.test, who="ann")
    data = registry.data

    def slow(number):
        found = data(number)
        if number == first:  # read for the comparison: somebody else is faster
            registry.store.move_model_alias("production", third, who="bob")
        return found

    monkeypatch.setattr(registry, "data", slow)
    with pytest.raises(ConflictError, match=f"production is v{third} and not v{first}"):
        promote(registry, second, trained.catalog, trained.test, who="ann")
    assert registry.aliases() == {"production": third}


def test_a_damaged_production_is_no_rival(registry, trained, untrained):
    first, second = added(registry, trained.model), added(registry, untrained)
    promote(registry, first, trained.catalog, trained.test, who="ann")
    with registry.store.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE model_versions SET data = x'00' WHERE version = {first}")
    assert promote(registry, second, trained.catalog, trained.test, who="ann").after == second


def test_a_version_of_other_embeddings_is_not_promoted(store, trained):
    registry = StoreRegistry(store)
    number = added(registry, SHGAT.from_catalog(catalog(d=D)))
    with pytest.raises(ModelFileError, match=f"model version {number}"):
        promote(registry, number, trained.catalog, trained.test, who="ann")
    assert registry.aliases() == {}


def shuffled(trained, seed):
    """The training traces, each with what was executed in another."""
    order = np.random.default_rng(seed).permutation(len(trained.train))
    tools, capability = trained.train.tools.take(order), trained.train.capability[order]
    return replace(trained.train, tools=tools, capability=capability, ids=np.char.add("shuffled ", trained.train.ids))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("validation", "n"), [("auto", 2), ("none", int(os.environ.get("SHGAT_SHUFFLES", "10")))])
def test_what_was_learned_from_shuffled_labels_is_refused(registry, trained, untrained, validation, n):
    """Trained past training's own gate, so that this one alone stands in the way; production is frozen cosine."""
    number = added(registry, untrained)
    promote(registry, number, trained.catalog, trained.test, who="ann")
    for seed in range(n):
        model = SHGAT.from_catalog(trained.catalog, seed=seed)
        model.fit(shuffled(trained, seed), seed=seed, validation=validation, force=True)
        with pytest.raises(RefusedError, match=r"is not promoted: (worse|not better) than"):
            promote(registry, added(registry, model), trained.catalog, trained.test, who="ann", seed=seed)
    assert registry.aliases() == {"production": number}
    assert len(registry.moves()) == 1
