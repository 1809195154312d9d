"""Into production past the gate, once; and back."""

import pytest

from pipeline import town
from shgat import SHGAT, Traces
from shgat.errors import InputError
from shgat.pipeline.deployment import promote
from shgat.registry import StoreRegistry, facts_of
from shgat.store import Store


def test_it_serves_and_the_log_says_why(trained, sqlite_url):
    run = trained().run()
    assert (run.status, run.reason) == ("promoted", "v1 serves in place of nothing")
    with Store.open(sqlite_url) as store:
        registry = StoreRegistry(store)
        assert registry.aliases() == {"production": 1}
        (move,) = registry.moves()
        assert (move.action, move.who, move.forced) == ("promote", "pipeline", False)
        assert move.why.startswith(run.tag)
        assert move.figures["comparisons"]
        assert store.drift_reference(1)


def test_again_moves_nothing(trained, up_to, sqlite_url):
    pipeline = trained()
    run = up_to(pipeline, "promote")
    with Store.open(sqlite_url) as store:
        assert promote(pipeline._work(store, run)).facts == run.facts("promote")
        assert len(store.moves()) == 1


@pytest.mark.slow
def test_what_came_into_production_meanwhile_is_the_rival(make, rng, up_to, sqlite_url):
    """Somebody promotes a better model by hand after the pipeline, which has few traces to learn from, has compared."""
    town.fill(sqlite_url, town.lived(rng, 110))
    pipeline = make(data={"held_out": 0.6})
    up_to(pipeline, "canary")
    better = SHGAT.from_catalog(town.catalog())
    assert better.fit(Traces.from_records(town.lived(rng, 300, name="c"), town.catalog())).accepted
    with Store.open(sqlite_url) as store:
        registry = StoreRegistry(store)
        other = registry.add(better.to_bytes(), facts_of(better, 1.0)).number
        registry.move("production", other, who="ann")
        run = pipeline.run()
        assert run.status == "refused"
        assert run.reason.startswith("v1 is not promoted: worse than production")
        assert registry.aliases() == {"production": other}


@pytest.mark.slow
def test_back_to_what_served_before(trained, make, sqlite_url):
    first, second = trained(), make(training={"seed": 3})
    assert first.run().status == "promoted"
    assert second.run().status == "promoted"
    run = second.rollback(who="ann", why="complaints")
    assert (run.status, run.reason) == ("rolled back", f"{run.tag}: complaints")
    with Store.open(sqlite_url) as store:
        registry = StoreRegistry(store)
        assert registry.aliases() == {"production": 1}
        assert (registry.moves()[0].who, registry.moves()[0].action) == ("ann", "rollback")
    with pytest.raises(InputError, match="nothing of run"):
        second.rollback(who="ann")


def test_a_canary_that_is_open_is_taken_away(trained, clock, sqlite_url):
    pipeline = trained(canary={"percent": 10.0, "duration": "1h"})
    clock.meanwhile.append(lambda: pipeline.rollback(who="ann", why="no") if pipeline.runs.latest().status == "open" else None)
    run = pipeline.run()
    assert (run.status, run.reason) == ("rolled back", f"taken away by ann before its time was over: {run.tag}: no")
    with Store.open(sqlite_url) as store:
        assert StoreRegistry(store).aliases() == {}


def test_nothing_to_take_back(make, trained, up_to):
    with pytest.raises(InputError, match="there is no run yet"):
        make().rollback(who="ann")
    up_to(trained(), "compare")
    with pytest.raises(InputError, match="nothing of run"):
        make().rollback(who="ann")
