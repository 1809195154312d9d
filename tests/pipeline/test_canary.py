"""A canary beside a real ranker whose people live on while the pipeline waits: it stays where it is good, and goes where it is not."""

from contextlib import contextmanager

import pytest

from people import written
from pipeline import town
from shgat.pipeline.work import WHO
from shgat.registry import StoreRegistry
from shgat.serving import Ranker
from shgat.store import Store

SERVED = {"percent": 50.0, "duration": "20s", "least": 10, "least_executed": 10}


@contextmanager
def living(url, clock, rng, works, each=20):
    """People who use a ranker at each wait of the pipeline, and have it look at the store."""
    with Ranker.open(url, town.catalog(), mode="off", clock=clock, journal=None) as ranker:
        n = iter(range(10**6))

        def live():
            ranker.refresh()
            for a in town.asked(rng, each):
                answer = ranker.rank(a.embedding, 5, text=a.text, session=f"s{next(n)}")
                found = town.content(answer.ids, a, works)
                ranker.feedback(answer.decision_id, tools=[f"t{works(a.wish)}" if found else answer.ids[0]], outcome=found)
            written(ranker)

        clock.meanwhile.append(live)
        yield ranker


@pytest.fixture
def pipeline(trained):
    return trained(canary=SERVED)


def test_a_good_one_stays_until_its_time_is_over(pipeline, up_to, clock, rng, sqlite_url):
    with living(sqlite_url, clock, rng, town.good):
        run = up_to(pipeline, "canary")
    facts = run.facts("canary")
    assert (run.status, facts["who"], facts["harm"]) == ("open", "guardrails", "")
    assert 20.0 <= facts["seconds"] < 35.0
    assert facts["answers"]["v1"]["n"] > 50
    assert facts["answers"]["v1"]["worked"] / facts["answers"]["v1"]["executed"] > 0.5
    assert facts["guardrails"]["success rate"]["p_value"] > 0.04


def test_a_bad_one_is_taken_away_by_its_guardrails(pipeline, clock, rng, sqlite_url):
    """Fine on what was held out; meanwhile people live as they did before."""
    town.serve_former(sqlite_url)
    with living(sqlite_url, clock, rng, town.former):
        run = pipeline.run()
    assert (run.status, list(run.steps)[-1]) == ("rolled back", "canary")
    assert run.reason == "v2 is worse than production: success rate"
    facts = run.steps["canary"].facts
    assert facts["seconds"] < 20.0
    assert facts["harm"] == "success rate"
    with Store.open(sqlite_url) as store:
        assert StoreRegistry(store).aliases() == {"production": 1}
        assert [m.who for m in store.moves()] == ["guardrails", WHO, "ann"]


def test_without_a_gateway_nothing_is_known_of_it(pipeline, sqlite_url):
    run = pipeline.run()
    assert run.status == "rolled back"
    assert run.reason.startswith("0 answers, 0 of them with feedback; 10 and 10 are needed")
    with Store.open(sqlite_url) as store:
        assert StoreRegistry(store).aliases() == {}
        assert store.moves()[0].why == f"{run.tag}: its time is over, and no gateway took it away"


def test_where_nothing_needs_to_be_known_it_passes(trained):
    assert trained(canary={**SERVED, "least": 0, "least_executed": 0}).run().status == "promoted"


def test_somebody_elses_canary_is_left_alone(pipeline, up_to, sqlite_url):
    up_to(pipeline, "register")
    with Store.open(sqlite_url) as store:
        StoreRegistry(store).move("canary", 1, who="ann", why="by hand")
    run = pipeline.run()
    assert run.status == "refused"
    assert run.reason.startswith("somebody else's canary stands: canary is v1")
    with Store.open(sqlite_url) as store:
        assert [m.who for m in store.moves()] == ["ann"]


def test_somebody_takes_it_away(pipeline, clock, sqlite_url):
    def rollback():
        with Store.open(sqlite_url) as store:
            StoreRegistry(store).rollback("canary", who="ann", why="complaints")

    clock.meanwhile.append(rollback)
    run = pipeline.run()
    assert run.status == "rolled back"
    assert run.reason == "taken away by ann before its time was over: complaints"


@pytest.mark.slow
def test_a_store_that_is_away_for_a_while_ends_nothing(make, rng, clock, server, postgresql_url, events):
    town.fill(postgresql_url, town.lived(rng, 200))
    turns = iter((server.stop, lambda: None, server.start))

    def turn():
        next(turns, lambda: None)()

    clock.meanwhile.append(turn)
    run = make(postgresql_url, canary={**SERVED, "least": 0, "least_executed": 0}).run()
    assert run.status == "promoted"
    assert sum("the store is away" in e.message for e in events) >= 2
